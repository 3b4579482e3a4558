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

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/postgres"
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

// standingMetrics reads the standing count when it is scraped, so that it is never stale.
type standingMetrics struct {
	store                                             *postgres.Store
	open, closed, posted, waiting, exceptions, leaked *prometheus.Desc
}

func newStandingMetrics(store *postgres.Store) *standingMetrics {
	d := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &standingMetrics{
		store:      store,
		open:       d("docket_tickets_open", "Tickets that can still be worked on."),
		closed:     d("docket_tickets_closed", "Tickets that are closed, held ones included."),
		posted:     d("docket_tickets_posted", "Tickets on which everything is decided."),
		waiting:    d("docket_holds_sign_off", "Holds that wait for a client's sign-off."),
		exceptions: d("docket_holds_exception", "Holds that wait for a dispatcher's ruling."),
		leaked:     d("docket_tickets_leaked", "Closed tickets whose work is not wholly accounted for. Alert above 0."),
	}
}

func (m *standingMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m *standingMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	standing, err := m.store.Standing(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.open, err)
		return
	}
	for _, v := range []struct {
		desc  *prometheus.Desc
		value int
	}{
		{m.open, standing.Open},
		{m.closed, standing.Closed},
		{m.posted, standing.Posted},
		{m.waiting, standing.Waiting},
		{m.exceptions, standing.Exceptions},
		{m.leaked, standing.Leaked},
	} {
		ch <- prometheus.MustNewConstMetric(v.desc, prometheus.GaugeValue, float64(v.value))
	}
}
