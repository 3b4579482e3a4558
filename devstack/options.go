package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// passwordEnv holds the PostgreSQL password: an environment variable, since arguments are readable by every user of the machine.
const passwordEnv = "DOCKET_DEVSTACK_PGPASSWORD"

const (
	freePort = 0  // let the kernel choose
	noPort   = -1 // do not listen
)

type options struct {
	ip        string
	grpcPort  int
	httpPort  int
	uiPort    int
	namespace string
	retention time.Duration
	search    searchAttributes
	postgres  postgresOptions
	logLevel  string
}

// postgresOptions say where Temporal keeps its data. The user may create databases, or both exist already.
type postgresOptions struct {
	addr     string // host:port
	user     string
	password string
	database string
}

func (p postgresOptions) visibilityDatabase() string { return p.database + "_visibility" }

var (
	logLevels      = []string{"debug", "info", "warn", "error", "fatal"}
	namespaceName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)
	postgresName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,51}$`) // 63 bytes with "_visibility"
	minimumRetains = time.Hour                                           // the server refuses less
)

// parseOptions reads the flags. Its errors name the flag, the value and what would do; flag.ErrHelp after -help.
func parseOptions(args []string, env func(string) string, help io.Writer) (options, error) {
	o := options{search: searchAttributes{}}
	fs := flag.NewFlagSet("docket-devstack", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.ip, "ip", "127.0.0.1", "`address` that the server and the UI listen on; the services among themselves stay on loopback")
	fs.IntVar(&o.grpcPort, "grpc-port", 7233, "gRPC `port`, 0 for a free one")
	fs.IntVar(&o.httpPort, "http-port", freePort, "HTTP API `port`, 0 for a free one")
	fs.IntVar(&o.uiPort, "ui-port", 8233, "Web UI `port`, 0 for a free one, -1 for no UI")
	fs.StringVar(&o.namespace, "namespace", "docket", "namespace to register, by `name`")
	fs.DurationVar(&o.retention, "retention", 72*time.Hour, "how long closed workflows are kept: a `duration` such as 72h; set when the namespace is registered")
	fs.Var(o.search, "search-attribute", "search attribute `Name=Type` of the namespace; repeatable; types: "+strings.Join(attributeTypes(), ", "))
	fs.StringVar(&o.postgres.addr, "postgres-addr", "127.0.0.1:5432", "PostgreSQL's `host:port`")
	fs.StringVar(&o.postgres.user, "postgres-user", "postgres", "PostgreSQL `user`; its password is read from $"+passwordEnv)
	fs.StringVar(&o.postgres.database, "database", "temporal", "`name` of the database; visibility goes to <name>_visibility")
	fs.StringVar(&o.logLevel, "log-level", "error", "`level` of the log on stderr: "+strings.Join(logLevels, ", "))
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(help, "docket-devstack runs a Temporal server and its Web UI on PostgreSQL.")
			fs.SetOutput(help)
			fs.PrintDefaults()
		}
		return options{}, err
	}
	if fs.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: every setting is a flag, see -help", fs.Arg(0))
	}
	o.postgres.password = env(passwordEnv)
	return o, o.validate()
}

func (o options) validate() error {
	if net.ParseIP(o.ip) == nil {
		return fmt.Errorf("-ip %q is no IP address: give one such as 127.0.0.1", o.ip)
	}
	ports := []struct {
		flag        string
		port, least int
	}{{"-grpc-port", o.grpcPort, freePort}, {"-http-port", o.httpPort, freePort}, {"-ui-port", o.uiPort, noPort}}
	for _, p := range ports {
		if p.port < p.least || p.port > 65535 {
			return fmt.Errorf("%s %d is no port: give one from 1 to 65535, or 0 for a free one", p.flag, p.port)
		}
	}
	if !namespaceName.MatchString(o.namespace) {
		return fmt.Errorf("-namespace %q: give letters, digits, '.', '_' and '-', beginning with a letter or digit", o.namespace)
	}
	if o.retention < minimumRetains {
		return fmt.Errorf("-retention %s is too short: give at least %s", o.retention, minimumRetains)
	}
	if _, port, err := net.SplitHostPort(o.postgres.addr); err != nil || port == "" {
		return fmt.Errorf("-postgres-addr %q is no host:port: give one such as 127.0.0.1:5432", o.postgres.addr)
	}
	// The server writes both names into a URL without escaping them.
	if !postgresName.MatchString(o.postgres.user) {
		return fmt.Errorf("-postgres-user %q: give up to 52 letters, digits and '_', beginning with a letter", o.postgres.user)
	}
	if !postgresName.MatchString(o.postgres.database) {
		return fmt.Errorf("-database %q: give up to 52 letters, digits and '_', beginning with a letter", o.postgres.database)
	}
	if !slices.Contains(logLevels, o.logLevel) {
		return fmt.Errorf("-log-level %q: give one of %s", o.logLevel, strings.Join(logLevels, ", "))
	}
	return nil
}

// searchAttributes is a repeatable flag Name=Type.
type searchAttributes map[string]enumspb.IndexedValueType

var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

func (s searchAttributes) String() string {
	var all []string
	for name, kind := range s {
		all = append(all, name+"="+kind.String())
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

func (s searchAttributes) Set(value string) error {
	name, kind, _ := strings.Cut(value, "=")
	if !attributeName.MatchString(name) {
		return fmt.Errorf("%s is no name: give Name=Type", strconv.Quote(name))
	}
	typ, err := enumspb.IndexedValueTypeFromString(kind)
	if err != nil || typ == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return fmt.Errorf("%s is no type: give one of %s", strconv.Quote(kind), strings.Join(attributeTypes(), ", "))
	}
	if had, ok := s[name]; ok && had != typ {
		return fmt.Errorf("%s is given twice, as %s and as %s: keep one", name, had, typ)
	}
	s[name] = typ
	return nil
}

func attributeTypes() []string {
	types := slices.Collect(maps.Keys(enumspb.IndexedValueType_shorthandValue))
	types = slices.DeleteFunc(types, func(t string) bool { return t == "Unspecified" })
	slices.Sort(types)
	return types
}
