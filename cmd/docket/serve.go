package main

import (
	"context"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/worker"
)

// Connections of a process that serves: closings are short, so few connections do much.
const (
	serveConns = 8
	workConns  = 16
)

// serving connects for a process that runs until it is stopped, and takes its address first.
func (a *app) serving(ctx context.Context, listenOn string, conns int32, run func(context.Context, *session) error) error {
	p, err := a.find()
	if err != nil {
		return err
	}
	l, err := listen(ctx, listenOn)
	if err != nil {
		return err
	}
	s, err := a.connect(ctx, p, conns)
	if err != nil {
		return err
	}
	a.session = s
	a.tel.Metrics.Registry.MustRegister(newDeskMetrics(s, a.now))
	a.say("health and metrics: http://%s/readyz /metrics", l.Addr())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.httpd(ctx, l, s) })
	group.Go(func() error { return run(ctx, s) })
	return group.Wait()
}

func newServe(a *app) *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:         "serve",
		Short:       "Start what waits in the outbox, deliver notices; serve health and metrics",
		Annotations: map[string]string{longRunning: logsInfo},
		Args:        exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serving(cmd.Context(), address, serveConns, func(ctx context.Context, s *session) error {
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error {
					s.desk.Relay(ctx)
					return nil
				})
				group.Go(func() error { return a.deliver(ctx, s, "") })
				return group.Wait()
			})
		},
	}
	c.Flags().StringVar(&address, "listen", a.listenAddress(), "`address` of health and metrics; DOCKET_METRICS_ADDR by default")
	return c
}

func newWork(a *app) *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:         "work",
		Short:       "Run tickets: workflows and activities",
		Annotations: map[string]string{longRunning: logsInfo},
		Args:        exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serving(cmd.Context(), address, workConns, func(ctx context.Context, s *session) error {
				return worker.Run(ctx, s.temporal, a.workerDeps(s))
			})
		},
	}
	c.Flags().StringVar(&address, "listen", a.listenAddress(), "`address` of health and metrics; DOCKET_METRICS_ADDR by default")
	return c
}
