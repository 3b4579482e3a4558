package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/devserver"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/replay"
)

const logFixture = "../../replay/testdata/incidents.csv"

// changed writes the fixture with one text replaced.
func changed(t *testing.T, from, to string) string {
	t.Helper()
	file, err := os.ReadFile(logFixture)
	require.NoError(t, err)
	require.Contains(t, string(file), from)
	path := filepath.Join(t.TempDir(), "log.csv")
	require.NoError(t, os.WriteFile(path, bytes.Replace(file, []byte(from), []byte(to), 1), 0o600))
	return path
}

func TestALogThatCannotBeReadStartsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no file":        {[]string{"nowhere.csv"}, "nowhere.csv"},
		"wrong header":   {[]string{changed(t, "incident_state", "status")}, "has no column incident_state"},
		"an instant":     {[]string{changed(t, "2016-03-07T09:04:00Z", "yesterday")}, `line 2, sys_updated_at "yesterday" is not an instant`},
		"negative limit": {[]string{logFixture, "--limit", "-1"}, "--limit"},
		"no argument":    {nil, "FILE is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			said := s.docket(append([]string{"replay", "--ephemeral"}, c.args...)...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			assert.Contains(t, said.err, c.says)
			assert.NotContains(t, said.err, "PostgreSQL")
			assert.Empty(t, said.out)
			left, err := os.ReadDir(s.data)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestE2EAReplayEndsWithOneObjectAndLeavesNothing(t *testing.T) {
	s := newShell(t)
	t.Setenv(devserver.BinaryEnv, testenv.Devstack(t))
	said := s.docket("replay", changed(t, "2016-03-07T09:04:00Z", "yesterday"), "--skip-unreadable", "--ephemeral", "--limit", "3")
	require.Equal(t, exitOK, said.code, said.err)
	var result replay.Result
	only := json.NewDecoder(bytes.NewBufferString(said.out))
	only.DisallowUnknownFields()
	require.NoError(t, only.Decode(&result))
	assert.False(t, only.More(), "one object and nothing else")
	assert.Equal(t, 3, result.Incidents)
	assert.Equal(t, 3, result.Closures)
	assert.Equal(t, 1, result.Unreadable.Lines)
	assert.Zero(t, result.Leaked)
	assert.Contains(t, said.err, "3 of 3 incidents")
	assert.Contains(t, said.err, `"yesterday"`)
	left, err := os.ReadDir(s.data)
	require.NoError(t, err)
	assert.Empty(t, left)
}
