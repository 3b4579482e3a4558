package main

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFreePortsAreAllDifferent(t *testing.T) {
	plan, err := choosePorts(options{ip: loopback})
	require.NoError(t, err)
	ports := map[int]bool{}
	for _, p := range []int{plan.grpc, plan.http, plan.ui, plan.history, plan.matching, plan.worker} {
		require.NotZero(t, p)
		ports[p] = true
	}
	require.Len(t, ports, 6)
}

func TestNoUITakesNoPort(t *testing.T) {
	plan, err := choosePorts(options{ip: loopback, uiPort: noPort})
	require.NoError(t, err)
	require.Zero(t, plan.ui)
}

func TestTakenPortIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", hostPort(loopback, 0))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	taken := l.Addr().(*net.TCPAddr).Port
	_, err = choosePorts(options{ip: loopback, uiPort: taken})
	require.ErrorContains(t, err, "-ui-port "+strconv.Itoa(taken)+" is taken")
}

func TestAnyAddressIsReachedOnLoopback(t *testing.T) {
	require.Equal(t, loopback, reachable("0.0.0.0"))
	require.Equal(t, loopback, reachable("::"))
	require.Equal(t, "192.0.2.7", reachable("192.0.2.7"))
}
