package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// portPlan holds every port of the process, all different and all free a moment ago.
type portPlan struct {
	grpc, http, ui            int // on the address of -ip; ui is 0 without a UI
	history, matching, worker int // on loopback
}

// choosePorts takes the ports that were asked for and free ones for the rest. The server and the UI end the process with a stack
// trace when they meet a taken port, so that one is found here, where it can be told.
func choosePorts(o options) (portPlan, error) {
	var plan portPlan
	wanted := []struct {
		flag string
		ip   string
		port int
		into *int
	}{
		{"-grpc-port", o.ip, o.grpcPort, &plan.grpc},
		{"-http-port", o.ip, o.httpPort, &plan.http},
		{"-ui-port", o.ip, o.uiPort, &plan.ui},
		{"", loopback, freePort, &plan.history},
		{"", loopback, freePort, &plan.matching},
		{"", loopback, freePort, &plan.worker},
	}
	// All are held until all are chosen: a free port handed out twice would be none.
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, w := range wanted {
		if w.port == noPort {
			continue
		}
		l, err := net.Listen("tcp", hostPort(w.ip, w.port))
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			return portPlan{}, fmt.Errorf("%s %d is taken on %s: stop what listens there, or give another port (0 for a free one)", w.flag, w.port, w.ip)
		case err != nil:
			return portPlan{}, fmt.Errorf("cannot listen on %s (-ip %s %s %d): %w", hostPort(w.ip, w.port), w.ip, w.flag, w.port, err)
		}
		held = append(held, l)
		*w.into = l.Addr().(*net.TCPAddr).Port
	}
	return plan, nil
}

const loopback = "127.0.0.1"

func hostPort(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

// reachable is the address to connect to for a server that listens on ip.
func reachable(ip string) string {
	if parsed := net.ParseIP(ip); parsed != nil && parsed.IsUnspecified() {
		return loopback
	}
	return ip
}
