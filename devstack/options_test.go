package main

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

func parse(args ...string) (options, error) {
	var help bytes.Buffer
	return parseOptions(args, func(string) string { return "secret" }, &help)
}

func TestDefaults(t *testing.T) {
	o, err := parse()
	require.NoError(t, err)
	require.Equal(t, options{
		ip: "127.0.0.1", grpcPort: 7233, httpPort: 0, uiPort: 8233,
		namespace: "docket", retention: 72 * time.Hour, search: searchAttributes{}, logLevel: "error",
		postgres: postgresOptions{addr: "127.0.0.1:5432", user: "postgres", password: "secret", database: "temporal"},
	}, o)
}

func TestSearchAttributesAreRepeatable(t *testing.T) {
	o, err := parse("-search-attribute", "Client=Keyword", "-search-attribute=SLADue=Datetime", "-search-attribute=Client=Keyword")
	require.NoError(t, err)
	require.Equal(t, searchAttributes{
		"Client": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"SLADue": enumspb.INDEXED_VALUE_TYPE_DATETIME,
	}, o.search)
}

func TestBadFlagsNameFlagValueAndFix(t *testing.T) {
	for _, c := range []struct {
		name string
		args string
		says []string
	}{
		{"port too high", "-grpc-port=70000", []string{"-grpc-port", "70000", "1 to 65535"}},
		{"only the UI can be left out", "-grpc-port=-1", []string{"-grpc-port", "-1"}},
		{"port is no number", "-ui-port=web", []string{"-ui-port", "web"}},
		{"address is a name", "-ip=localhost", []string{"-ip", "localhost", "127.0.0.1"}},
		{"namespace with a space", "-namespace=my\tdesk", []string{"-namespace", `my\tdesk`}},
		{"retention too short", "-retention=5m", []string{"-retention", "5m", "1h"}},
		{"PostgreSQL without a port", "-postgres-addr=db", []string{"-postgres-addr", "db", "127.0.0.1:5432"}},
		{"database breaks out of its URL", "-database=a/b?x", []string{"-database", "a/b?x"}},
		{"user breaks out of its URL", "-postgres-user=a:b", []string{"-postgres-user", "a:b"}},
		{"unknown level", "-log-level=loud", []string{"-log-level", "loud", "error"}},
		{"attribute without a type", "-search-attribute=Client", []string{"-search-attribute", "Keyword"}},
		{"attribute of an unknown type", "-search-attribute=Client=String", []string{"-search-attribute", "String", "Keyword"}},
		{"attribute with two types", "-search-attribute=A=Int -search-attribute=A=Bool", []string{"A", "Int", "Bool"}},
		{"an argument", "serve", []string{"serve", "-help"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(strings.Split(c.args, " ")...)
			require.Error(t, err)
			for _, part := range c.says {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	var help bytes.Buffer
	_, err := parseOptions([]string{"-help"}, func(string) string { return "" }, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "-search-attribute")
}
