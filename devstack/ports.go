package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
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
		l, err := listen(w.ip, w.port)
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

// Free ports come from below the range from which the kernel takes those of outgoing connections:
// one from within it could be taken again between being chosen here and opened by the server.
const (
	lowestFree  = 20_000
	freePorts   = 10_000
	freePortTry = 100
)

// listen opens the port; freePort means any free one.
func listen(ip string, port int) (net.Listener, error) {
	if port != freePort {
		return net.Listen("tcp", hostPort(ip, port))
	}
	var err error
	for range freePortTry {
		var l net.Listener
		if l, err = net.Listen("tcp", hostPort(ip, lowestFree+rand.IntN(freePorts))); !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
	return nil, err
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
