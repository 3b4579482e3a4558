package replay_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/replay"
	"github.com/docket-psa/docket/ticket"
)

const header = "number,incident_state,caller_id,opened_at,sys_updated_at,contact_type,location,category,subcategory,u_symptom,impact,urgency,assignment_group,assigned_to\n"

// today bounds the log's times.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func line(number, state, updated string) string {
	return number + "," + state + ",2403,2016-02-29T08:00:00Z," + updated + ",Phone,143,55,170,72,2,2,56,89\n"
}

// incidents reads the whole log.
func incidents(t *testing.T, log *replay.Log) (all []replay.Incident) {
	t.Helper()
	for {
		in, err := log.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, in)
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestALogIsReadIncidentByIncident(t *testing.T) {
	text := header + line("INC1", "New", "2016-02-29T08:10:00Z") + line("INC1", "-100", "2016-02-29T08:20:00Z") + "\n" +
		line("INC2", "Awaiting User Info", "2016-02-29T09:10:00+01:00")
	quoted := strings.ReplaceAll(text, "INC2", `"INC2"`)
	for name, file := range map[string][]byte{
		"plain": []byte(text), "compressed": zipped(t, text), "from Windows": []byte("\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")), "quoted": []byte(quoted),
	} {
		t.Run(name, func(t *testing.T) {
			log, err := replay.Read(bytes.NewReader(file), today)
			require.NoError(t, err)
			all := incidents(t, log)
			require.Len(t, all, 2)
			assert.Equal(t, "INC1", all[0].Number)
			require.Len(t, all[0].Rows, 2)
			assert.Equal(t, "-100", all[0].Rows[1].State, "a junk state can be read; it is refused as a change")
			require.Len(t, all[1].Rows, 1)
			assert.Equal(t, replay.Row{
				Line: 5, Number: "INC2", State: "Awaiting User Info", Caller: "2403", Contact: "Phone", Location: "143", Category: "55",
				Subcategory: "170", Symptom: "72", Group: "56", Assigned: "89", Impact: 2, Urgency: 2,
				OpenedAt: time.Date(2016, 2, 29, 8, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2016, 2, 29, 8, 10, 0, 0, time.UTC),
			}, all[1].Rows[0])
			assert.Equal(t, 3, log.Rows)
			assert.Zero(t, log.Faults.Lines)
		})
	}
}

func TestALineThatCannotBeReadIsNamedByFieldAndValue(t *testing.T) {
	good := line("INC1", "New", "2016-02-29T08:10:00Z")
	for _, tt := range []struct {
		name, line, field, value string
	}{
		{"an instant that is none", line("INC1", "New", "29/2/2016 01:23"), "line 3, sys_updated_at", "29/2/2016 01:23"},
		{"no instant", line("INC1", "New", ""), "line 3, sys_updated_at", ""},
		{"the future", line("INC1", "New", "2027-01-01T00:00:00Z"), "line 3, sys_updated_at", "2027-01-01T00:00:00Z"},
		{"the distant past", strings.Replace(good, "2016-02-29T08:00", "1016-02-29T08:00", 1), "line 3, opened_at", "1016-02-29T08:00:00Z"},
		{"no number", line("", "New", "2016-02-29T08:10:00Z"), "line 3, number", ""},
		{"no state", line("INC1", " ", "2016-02-29T08:10:00Z"), "line 3, incident_state", ""},
		{"an impact off the scale", strings.Replace(good, ",2,2,", ",7,2,", 1), "line 3, impact", "7"},
		{"an urgency that is no number", strings.Replace(good, ",2,2,", ",2,high,", 1), "line 3, urgency", "high"},
		{"a NUL byte", strings.Replace(good, "Phone", "Ph\x00ne", 1), "line 3, contact_type", "Ph␀ne"},
		{"no UTF-8", strings.Replace(good, "Phone", "Ph\xffne", 1), "line 3, contact_type", "Ph�ne"},
		{"a key longer than keys may be", line(strings.Repeat("9", 200), "New", "2016-02-29T08:10:00Z"), "line 3, number", strings.Repeat("9", 77) + "..."},
		{"too few fields", "INC1,New,2403\n", "line 3", "INC1,New,2403"},
		{"no CSV", `INC1,"New,2403` + "\n", "line 3", `INC1,"New,2403`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, err := replay.Read(strings.NewReader(header+good+tt.line+line("INC2", "New", "2016-02-29T08:30:00Z")), today)
			require.NoError(t, err)
			all := incidents(t, log)
			require.Len(t, all, 2, "the rest of the log is read")
			assert.Equal(t, 1, log.Faults.Lines)
			require.Len(t, log.Faults.First, 1)
			p := log.Faults.First[0]
			assert.Equal(t, tt.field, p.Field)
			assert.Equal(t, tt.value, p.Value)
			assert.NotEmpty(t, p.Problem)
			assert.NotEmpty(t, p.Fix)
		})
	}
}

func TestRowsOfAnIncidentStandTogether(t *testing.T) {
	at := "2016-02-29T08:10:00Z"
	log, err := replay.Read(strings.NewReader(header+line("INC1", "New", at)+line("INC2", "New", at)+line("INC1", "Active", at)), today)
	require.NoError(t, err)
	assert.Len(t, incidents(t, log), 2)
	assert.Equal(t, 1, log.Faults.Lines)
	assert.Equal(t, "line 4, number", log.Faults.First[0].Field)
}

func TestAFileThatIsNoLogIsRefused(t *testing.T) {
	whole := zipped(t, header+strings.Repeat(line("INC1", "New", "2016-02-29T08:10:00Z"), 5000))
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // of the checksum
	for _, tt := range []struct {
		name  string
		file  []byte
		field string
		says  string
	}{
		{"empty", nil, "file", "is empty"},
		{"another table", []byte("case_id,status,timestamp\n1,Open,2016-01-01\n"), "line 1, header", "has no column number"},
		{"a column short", []byte(strings.Replace(header, "impact,", "", 1)), "line 1, header", "has no column impact"},
		{"a column twice", []byte(strings.Replace(header, "impact,", "impact,impact,", 1)), "line 1, header", "names a column twice"},
		{"cut off", whole[:len(whole)-20], "line ", "is where the file is cut off"},
		{"cut off in the header", whole[:12], "line 1", "is where the file is cut off"},
		{"damaged", damaged, "line ", "cannot be decompressed"},
		{"one endless line", []byte(header + strings.Repeat("x", 2<<20)), "line 2", "is longer than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := replay.Survey(bytes.NewReader(tt.file), 0, today)
			problems := ticket.Problems(err)
			require.NotEmpty(t, problems, "%v", err)
			assert.True(t, strings.HasPrefix(problems[0].Field, tt.field), problems[0].Field)
			assert.Equal(t, tt.says, problems[0].Problem)
			assert.NotEmpty(t, problems[0].Fix)
		})
	}
}

func TestASurveyCountsWhatThereIsToTell(t *testing.T) {
	file, err := os.ReadFile("testdata/incidents.csv")
	require.NoError(t, err)
	n, faults, err := replay.Survey(bytes.NewReader(file), 0, today)
	require.NoError(t, err)
	assert.Equal(t, 14, n)
	assert.Zero(t, faults.Lines)
	require.NoError(t, faults.Err())

	n, _, err = replay.Survey(bytes.NewReader(file), 3, today)
	require.NoError(t, err)
	assert.Equal(t, 3, n)
}
