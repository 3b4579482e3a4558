package triage_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/triage"
)

func TestPriorityMatrix(t *testing.T) {
	for _, c := range [][3]int{
		{1, 1, 1}, {1, 2, 2}, {1, 3, 3}, {2, 1, 2}, {2, 2, 3}, {2, 3, 4}, {3, 1, 3}, {3, 2, 4}, {3, 3, 5},
	} {
		got, err := triage.Priority(c[0], c[1])
		require.NoError(t, err)
		require.Equal(t, c[2], got, "impact %d, urgency %d", c[0], c[1])
	}
	for _, bad := range [][2]int{{0, 1}, {1, 0}, {4, 1}, {1, 4}, {-1, -1}} {
		_, err := triage.Priority(bad[0], bad[1])
		require.Error(t, err, "%v", bad)
	}
}

// A real company's log agrees with the matrix in each cell it uses, but one: that desk has no priority 5, and files
// what is low in both as 4.
func TestPriorityMatrixAgreesWithARealLog(t *testing.T) {
	const path = "../../shared/data/lifecycle_uci_dev.csv.gz"
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skipf("the incident log is not beside the repository (%s); the matrix is not compared with it", path)
	}
	require.NoError(t, err, "the incident log must be beside the repository where CI=true")
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	log := csv.NewReader(unzipped)
	header, err := log.Read()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range header {
		column[name] = i
	}

	seen := map[[3]int]int{}
	for {
		row, err := log.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		var cell [3]int
		for i, name := range []string{"impact", "urgency", "priority"} {
			cell[i], err = strconv.Atoi(row[column[name]])
			require.NoError(t, err, name)
		}
		seen[cell]++
	}
	require.NotEmpty(t, seen)
	for cell, rows := range seen {
		want, err := triage.Priority(cell[0], cell[1])
		require.NoError(t, err)
		if cell[0] == 3 && cell[1] == 3 {
			want = 4
		}
		require.Equal(t, want, cell[2], "impact %d, urgency %d in %d rows", cell[0], cell[1], rows)
	}
}
