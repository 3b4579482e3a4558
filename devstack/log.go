package main

import (
	"os"

	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// serverLog is the server's log on stderr: stdout carries the ready line alone.
type serverLog struct {
	log.Logger
	level zap.AtomicLevel
}

func newLog(level string) serverLog {
	at := zap.NewAtomicLevelAt(log.ParseZapLevel(level))
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(log.DefaultZapEncoderConfig), zapcore.Lock(os.Stderr), at)
	return serverLog{Logger: log.NewZapLogger(zap.New(core)), level: at}
}

// quiet drops what is not fatal: a server that stops reports each request that it cuts off as an error of its own.
func (l serverLog) quiet() { l.level.SetLevel(zapcore.FatalLevel) }
