package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
)

// defaultListen is where health and metrics are served; DOCKET_METRICS_ADDR names another place.
const defaultListen = "127.0.0.1:9464"

const (
	readyWithin  = 2 * time.Second
	scrapeWithin = 5 * time.Second
)

func (a *app) listenAddress() string { return or(a.env("DOCKET_METRICS_ADDR"), defaultListen) }

// listen takes the address, or says who could be there and what to do.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken: stop what listens there, or give another address with --listen or DOCKET_METRICS_ADDR", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s for health and metrics: %w", address, err)
	}
	return l, nil
}

// httpd serves /healthz (the process lives), /readyz (it can work) and /metrics, until ctx ends.
func (a *app) httpd(ctx context.Context, l net.Listener, s *session) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		within, cancel := context.WithTimeout(r.Context(), readyWithin)
		defer cancel()
		missing := map[string]string{}
		if err := s.store.Ping(within); err != nil {
			missing["postgresql"] = err.Error()
		}
		if _, err := s.temporal.CheckHealth(within, &client.CheckHealthRequest{}); err != nil {
			missing["temporal"] = err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		if len(missing) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(missing) == 0, "missing": missing})
	})
	mux.Handle("GET /metrics", a.tel.Metrics.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
		defer cancel()
		_ = server.Shutdown(within)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health and metrics: %w", err)
	}
	return nil
}
