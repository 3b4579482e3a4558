package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/internal/devserver"
	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/worker"
)

// Stack says how both sides are set up, as `docket up` does it.
type Stack struct {
	Now              func() time.Time
	Dir              string               // of the cluster; empty: a temporary one
	SearchAttributes map[string]string    // name to type
	Meters           metric.MeterProvider // what Temporal's client counts goes here
	Logger           sdklog.Logger
	Settings         map[string]string // of postgresql.conf, beside pgdev's
}

const (
	login     = "docket_desk"
	database  = "docket"
	namespace = "docket"

	dialWithin = time.Minute // a machine under load
)

// servers are a running PostgreSQL with every commit on disk, and a running Temporal beside it
// with its databases in the same cluster.
type servers struct {
	cluster  *pgdev.Cluster
	temporal *devserver.Server
	client   client.Client
}

func (o Stack) start(ctx context.Context) (s *servers, err error) {
	s = &servers{}
	if s.cluster, err = pgdev.Start(ctx, pgdev.Options{Dir: o.Dir, Durable: true, Settings: o.Settings}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop(ctx))
		}
	}()
	if s.temporal, err = devserver.Start(ctx, devserver.Options{
		Namespace: namespace, SearchAttributes: o.SearchAttributes,
		PostgresAddr: s.cluster.Addr(), PostgresUser: s.cluster.User, PostgresPassword: s.cluster.Password,
	}); err != nil {
		return s, err // what runs is stopped
	}
	options, err := worker.Instrument(client.Options{
		HostPort: s.temporal.Address, Namespace: namespace, Logger: o.Logger,
		ConnectionOptions: client.ConnectionOptions{GetSystemInfoTimeout: dialWithin},
	}, nil, o.Meters)
	if err != nil {
		return s, err
	}
	s.client, err = client.DialContext(ctx, options)
	return s, err
}

func (s *servers) stop(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	if s.client != nil {
		s.client.Close()
	}
	if s.temporal != nil {
		errs = append(errs, s.temporal.Stop(ctx))
	}
	return errors.Join(append(errs, s.cluster.Stop(ctx))...)
}

// spent is what both sides spend, since the servers' start, all databases together.
type spent struct {
	docket   time.Duration // CPU of this process: worker, desk, and the load it makes
	temporal time.Duration
	postgres time.Duration // its sessions, ended ones too, and servants
	others   time.Duration // CPU of everything else on the machine
	commits  int64         // transactions that committed, reading ones too
	wal      int64         // bytes
}

func (a spent) cpu() time.Duration { return a.docket + a.temporal + a.postgres }

func (a spent) since(b spent) spent {
	return spent{a.docket - b.docket, a.temporal - b.temporal, a.postgres - b.postgres, a.others - b.others, a.commits - b.commits, a.wal - b.wal}
}

func (a spent) plus(b spent) spent {
	return spent{a.docket + b.docket, a.temporal + b.temporal, a.postgres + b.postgres, a.others + b.others, a.commits + b.commits, a.wal + b.wal}
}

// meter reads what has been spent; admin is a connection of the superuser.
func (s *servers) meter(ctx context.Context, admin *pgx.Conn) (spent, error) {
	var used spent
	err := admin.QueryRow(ctx, "select sum(xact_commit)::bigint, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint from pg_stat_database").
		Scan(&used.commits, &used.wal)
	if err != nil {
		return used, fmt.Errorf("read PostgreSQL's counters: %w", err)
	}
	all, err := readTable()
	if err != nil {
		return used, err
	}
	used.temporal, used.postgres = all.cpu(s.temporal.PID()), all.cpu(s.cluster.PID())
	used.docket = all.cpu(os.Getpid()) - used.temporal - used.postgres // the servers are its children
	everything, err := busy()
	used.others = everything - used.cpu()
	return used, err
}
