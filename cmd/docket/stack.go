package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/internal/devserver"
	"github.com/docket-psa/docket/internal/mailcatch"
	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/postgres"
)

const (
	ownerLogin    = "docket_owner"
	temporalLogin = "temporal"
	database      = "docket"

	// stackStops bounds an orderly end of the servers.
	stackStops = 20 * time.Second
)

// stack is what `docket up` starts, or finds: PostgreSQL and Temporal.
type stack struct {
	a        *app
	cluster  *pgdev.Cluster    // nil with DATABASE_URL
	temporal *devserver.Server // nil with TEMPORAL_ADDRESS
	options  devserver.Options // to start it again
	catcher  *mailcatch.Server // takes the mails, where DOCKET_SMTP_URL names no server
	places   places
	owner    string // URL of the schema's owner; empty: it is not ours to migrate
	kept     string // the cluster's directory, where it is kept
}

// startPostgres starts the private cluster, or takes what DATABASE_URL names.
func (s *stack) startPostgres(ctx context.Context, dir string, port int) error {
	if url := s.a.env("DATABASE_URL"); url != "" {
		s.places.database, s.owner = url, s.a.env("DOCKET_OWNER_URL")
		return nil
	}
	cluster, err := pgdev.Start(ctx, pgdev.Options{Dir: dir, Port: port, Durable: dir != ""})
	if running := new(pgdev.RunningError); errors.As(err, &running) {
		return fmt.Errorf("%w; a second Docket beside it: docket up --data DIRECTORY", err)
	}
	if err != nil {
		return err
	}
	s.cluster, s.kept = cluster, dir
	s.owner = cluster.URL(ownerLogin, database)
	s.places.database = cluster.URL(deskLogin, database)
	return s.prepareCluster(ctx)
}

// prepareCluster makes the owner of the schema, Temporal's login and Docket's database, as the
// superuser. They connect over loopback by the cluster's own password.
func (s *stack) prepareCluster(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.cluster.SocketURL(s.cluster.User, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, login := range []struct{ name, rights string }{{ownerLogin, "createrole"}, {temporalLogin, "createdb"}} {
		exists := false
		if err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", login.name).Scan(&exists); err != nil {
			return fmt.Errorf("look for role %s: %w", login.name, err)
		}
		if exists {
			continue
		}
		// The password is the cluster's: letters and digits, safe to quote.
		if _, err := conn.Exec(ctx, fmt.Sprintf("create role %s login %s password '%s'", login.name, login.rights, s.cluster.Password)); err != nil {
			return fmt.Errorf("make role %s: %w", login.name, err)
		}
	}
	exists := false
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", database).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", database, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "create database "+database+" owner "+ownerLogin); err != nil {
		return fmt.Errorf("make database %s: %w", database, err)
	}
	return nil
}

// migrate brings the schema up to date; applied is -1 where it is not ours.
func (s *stack) migrate(ctx context.Context) (applied int, err error) {
	if s.owner == "" {
		return -1, nil
	}
	login, err := url.Parse(s.places.database)
	if err != nil {
		return 0, usage(fmt.Errorf("read DATABASE_URL: %w", err))
	}
	name := login.User.Username()
	if owner, err := url.Parse(s.owner); err == nil && owner.User.Username() == name || name == "docket_staff" {
		name = "" // it has its rights already, and a password of its own
	}
	password, _ := login.User.Password()
	return postgres.Migrate(ctx, s.owner, name, password)
}

// catchMail starts the mail catcher, unless mails go to a server of the operator's.
func (s *stack) catchMail(ctx context.Context) (err error) {
	if s.a.env("DOCKET_SMTP_URL") != "" {
		return nil
	}
	s.catcher, err = mailcatch.Start(ctx, s.a.session.store.KeepMail)
	return err
}

// startTemporal starts the server beside the database, or takes what TEMPORAL_ADDRESS names.
func (s *stack) startTemporal(ctx context.Context, grpcPort, uiPort int) error {
	var err error
	if s.places.temporal, err = s.a.temporalFromEnv(); err != nil || s.places.temporal.HostPort != "" {
		return err
	}
	o := devserver.Options{Namespace: s.places.temporal.Namespace, SearchAttributes: searchAttributes}
	if s.cluster != nil {
		o.PostgresAddr, o.PostgresUser, o.PostgresPassword = s.cluster.Addr(), temporalLogin, s.cluster.Password
	} else if err := borrow(&o, or(s.owner, s.places.database)); err != nil {
		return err
	}
	if o.GRPCPort, err = s.port("Temporal", grpcPort); err != nil {
		return err
	}
	if o.UIPort, err = s.port("Temporal's Web UI", uiPort); err != nil {
		return err
	}
	s.options = o
	if s.temporal, err = devserver.Start(ctx, o); err != nil {
		return err
	}
	s.places.temporal.HostPort, s.places.ui = s.temporal.Address, s.temporal.UI
	// A later start, after a crash, takes the same ports.
	s.options.GRPCPort, s.options.HTTPPort, s.options.UIPort, err = s.temporal.Ports()
	return err
}

// borrow lets Temporal make its databases on the server that a URL names.
func borrow(o *devserver.Options, databaseURL string) error {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return usage(fmt.Errorf("read DOCKET_OWNER_URL: %w", err))
	}
	if strings.HasPrefix(cfg.Host, "/") {
		return usage(errors.New("DOCKET_OWNER_URL names a socket; Temporal connects over TCP: give a host and a port, or TEMPORAL_ADDRESS"))
	}
	o.PostgresAddr, o.PostgresUser, o.PostgresPassword = net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))), cfg.User, cfg.Password
	return nil
}

// port gives the port if it is free, and else another one, and says so.
func (s *stack) port(what string, port int) (int, error) {
	if port <= 0 {
		return port, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		s.a.say("Port %d is taken: %s listens on another one.", port, what)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("listen on port %d for %s: %w", port, what, err)
	}
	return port, l.Close()
}

// keep starts again what ends by itself, until ctx ends. Tickets go on where they were.
func (s *stack) keep(ctx context.Context) error {
	var postgresEnded, temporalEnded <-chan struct{}
	for {
		if s.cluster != nil {
			postgresEnded = s.cluster.Done()
		}
		if s.temporal != nil {
			temporalEnded = s.temporal.Done()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-postgresEnded:
			if err := s.restartPostgres(ctx); err != nil {
				return err
			}
		case <-temporalEnded:
			if err := s.restartTemporal(ctx); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func (s *stack) restartPostgres(ctx context.Context) error {
	if s.kept == "" {
		return errors.New("PostgreSQL ended, and with --ephemeral nothing is kept: start again with `docket up`")
	}
	s.a.say("PostgreSQL ended; starting it again. What it acknowledged is safe.")
	port := s.cluster.Port
	if err := s.cluster.Stop(ctx); err != nil {
		return err
	}
	again, err := pgdev.Start(ctx, pgdev.Options{Dir: s.kept, Port: port, Durable: true})
	if err != nil {
		return err
	}
	s.cluster = again
	s.a.say("PostgreSQL is back.")
	return nil
}

func (s *stack) restartTemporal(ctx context.Context) error {
	s.a.say("Temporal ended; starting it again. Tickets can be opened meanwhile, and run when it is back.")
	for {
		again, err := devserver.Start(ctx, s.options)
		if err == nil {
			s.temporal = again
			s.a.say("Temporal is back.")
			return nil
		}
		// It may have ended because PostgreSQL did, which must come back first.
		if s.cluster == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-s.cluster.Done():
			if err := s.restartPostgres(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// stop ends what was started, Temporal before the database it writes to.
func (s *stack) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stackStops)
	defer cancel()
	var errs []error
	if s.catcher != nil {
		errs = append(errs, s.catcher.Close())
	}
	if s.temporal != nil {
		errs = append(errs, s.temporal.Stop(ctx))
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop(ctx))
	}
	return errors.Join(errs...)
}

// home gives the directories of PostgreSQL and of the state file. Ephemeral ones leave nothing:
// the state file goes where other commands look, unless another Docket runs there.
func (a *app) home(ephemeral bool) (cluster string, leave func() error, err error) {
	if !ephemeral {
		if err := os.MkdirAll(a.data, 0o755); err != nil {
			return "", nil, fmt.Errorf("make the data directory: %w; another place: docket up --data DIRECTORY", err)
		}
		return filepath.Join(a.data, "postgres"), func() error { return removeState(a.data) }, nil
	}
	if _, err := readState(a.data); err == nil {
		if a.data, err = os.MkdirTemp("", "docket-"); err != nil {
			return "", nil, fmt.Errorf("make a temporary directory: %w", err)
		}
	}
	_, missing := os.Stat(a.data)
	if err := os.MkdirAll(a.data, 0o755); err != nil {
		return "", nil, fmt.Errorf("make the data directory: %w; another place: docket up --data DIRECTORY", err)
	}
	return "", func() error {
		err := removeState(a.data)
		if missing != nil {
			_ = os.Remove(a.data) // ours, if nobody put anything there
		}
		return err
	}, nil
}
