package devserver_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/devserver"
)

// The real server runs in the tests of internal/testenv. Here are programs in its place that fail as it could.

func TestServerThatEndsTellsItsLastWords(t *testing.T) {
	binary := script(t, `echo "docket-devstack: -ui-port 8233 is taken on 127.0.0.1: give another port" >&2; exit 1`)
	_, err := devserver.Start(t.Context(), devserver.Options{Binary: binary})
	require.ErrorContains(t, err, "-ui-port 8233 is taken")
	require.ErrorContains(t, err, "exit status 1")
}

func TestAnotherProgramIsRecognised(t *testing.T) {
	_, err := devserver.Start(t.Context(), devserver.Options{Binary: script(t, `echo hello; exec sleep 600`)})
	require.ErrorContains(t, err, `"hello\n" is no JSON`)
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := contextThatEnds(t)
	defer cancel()
	_, err := devserver.Start(ctx, devserver.Options{Binary: script(t, `exec sleep 600`)})
	require.ErrorIs(t, err, ctx.Err())
}

func TestReadyLineAndArguments(t *testing.T) {
	binary := script(t, `
test "$DOCKET_DEVSTACK_PGPASSWORD" = secret || exit 3
for a in "$@"; do case "$a" in *secret*) exit 4;; esac; done
echo "$@" >&2
echo '{"address":"127.0.0.1:7233","http":"http://127.0.0.1:7243","ui":"http://127.0.0.1:8233","namespace":"docket","schema_ms":1,"start_ms":20,"ready_ms":300}'
exec sleep 600`)
	log := &lines{}
	s, err := devserver.Start(t.Context(), devserver.Options{
		Binary: binary, UIPort: devserver.NoUI, PostgresAddr: "127.0.0.1:5432", PostgresUser: "temporal", PostgresPassword: "secret",
		SearchAttributes: map[string]string{"Priority": "Int", "Client": "Keyword"}, Log: log,
	})
	require.NoError(t, err)
	require.Equal(t, devserver.Ready{
		Address: "127.0.0.1:7233", HTTP: "http://127.0.0.1:7243", UI: "http://127.0.0.1:8233", Namespace: "docket",
		Schema: time.Millisecond, Start: 20 * time.Millisecond, Total: 300 * time.Millisecond,
	}, s.Ready)
	grpc, http, ui, err := s.Ports()
	require.NoError(t, err)
	require.Equal(t, []int{7233, 7243, 8233}, []int{grpc, http, ui})
	require.NoError(t, s.Stop(t.Context()))
	require.Equal(t, "-grpc-port=0 -http-port=0 -ui-port=-1 -postgres-addr=127.0.0.1:5432 -postgres-user=temporal"+
		" -search-attribute=Client=Keyword -search-attribute=Priority=Int\n", log.String())
}

func TestFindTakesTheNamedBinary(t *testing.T) {
	binary := script(t, "")
	found, err := devserver.Find(func(string) string { return binary })
	require.NoError(t, err)
	require.Equal(t, binary, found)

	gone := filepath.Join(t.TempDir(), "gone")
	_, err = devserver.Find(func(string) string { return gone })
	require.ErrorContains(t, err, gone)
	require.ErrorContains(t, err, "$DOCKET_DEVSTACK")
}

func TestFindOutsideOfACloneSaysHowToBuild(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := devserver.Find(func(string) string { return "" })
	require.ErrorIs(t, err, devserver.ErrNoBinary)
	require.ErrorContains(t, err, "make build")
}

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docket-devstack")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755))
	return path
}
