package replay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-psa/docket/ticket"
)

// Row is one line of the log: an incident as it stood after one change. Fields without a value
// are empty; people, groups, places and categories are numbers that stand for names.
type Row struct {
	Line        int // in the file, the header being line 1
	Number      string
	State       string
	Caller      string
	Contact     string // contact_type
	Location    string
	Category    string
	Subcategory string
	Symptom     string
	Group       string
	Assigned    string
	Impact      int // 1 high … 3 low; 0 unknown
	Urgency     int
	OpenedAt    time.Time
	UpdatedAt   time.Time
}

// columns are those that a log must have, in any order and among others.
var columns = []string{
	"number", "incident_state", "caller_id", "opened_at", "sys_updated_at", "contact_type", "location", "category",
	"subcategory", "u_symptom", "impact", "urgency", "assignment_group", "assigned_to",
}

// layout says where the columns stand in this file.
type layout struct {
	at     map[string]int
	fields int
}

// readHeader finds the columns. It returns a Problem for each that is missing or stands twice.
func readHeader(names []string) (layout, error) {
	l := layout{at: map[string]int{}, fields: len(names)}
	var errs []error
	for i, name := range names {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, twice := l.at[name]; twice {
			errs = append(errs, ticket.Invalid("line 1, header", name, "names a column twice", "name each column once"))
		}
		l.at[name] = i
	}
	for _, name := range columns {
		if _, ok := l.at[name]; !ok {
			errs = append(errs, ticket.Invalid("line 1, header", strings.Join(names, ","), "has no column "+name,
				"give a log whose first line names its columns, these among them: "+strings.Join(columns, ", ")))
			break // one sentence tells them all
		}
	}
	return l, errors.Join(errs...)
}

// longestField is how long a field may be, in bytes: it becomes part of keys.
const longestField = ticket.MaxKey / 2

// row reads one line. It returns a Problem for each field that cannot be read; now bounds times.
func (l layout) row(line int, fields []string, now time.Time) (Row, error) {
	if len(fields) != l.fields {
		return Row{}, ticket.Invalid(fmt.Sprintf("line %d", line), strings.Join(fields, ","),
			fmt.Sprintf("has %d fields where the header has %d", len(fields), l.fields), "correct the line")
	}
	f := fieldReader{line: line, now: now, value: func(column string) string { return fields[l.at[column]] }}
	r := Row{
		Line:   line,
		Number: f.text("number", 1), State: f.text("incident_state", 1),
		Caller: f.text("caller_id", 0), Contact: f.text("contact_type", 0), Location: f.text("location", 0),
		Category: f.text("category", 0), Subcategory: f.text("subcategory", 0), Symptom: f.text("u_symptom", 0),
		Group: f.text("assignment_group", 0), Assigned: f.text("assigned_to", 0),
		Impact: f.level("impact"), Urgency: f.level("urgency"),
		OpenedAt: f.time("opened_at"), UpdatedAt: f.time("sys_updated_at"),
	}
	return r, errors.Join(f.errs...)
}

// fieldReader collects what is wrong with the fields of one line.
type fieldReader struct {
	line  int
	now   time.Time
	value func(column string) string
	errs  []error
}

func (f *fieldReader) wrong(column, value, problem, fix string) {
	f.errs = append(f.errs, ticket.Invalid(fmt.Sprintf("line %d, %s", f.line, column), value, problem, fix))
}

func (f *fieldReader) text(column string, shortest int) string {
	v := strings.TrimSpace(f.value(column))
	switch {
	case len(v) < shortest:
		f.wrong(column, v, "is empty", "give it a value")
	case len(v) > longestField:
		f.wrong(column, v, fmt.Sprintf("is %d bytes long", len(v)), fmt.Sprintf("at most %d fit", longestField))
	case strings.IndexByte(v, 0) >= 0:
		f.wrong(column, strings.ReplaceAll(v, "\x00", "␀"), "has a NUL byte", "write plain UTF-8 text")
	case !utf8.ValidString(v):
		f.wrong(column, v, "is not UTF-8", "write plain UTF-8 text")
	}
	return strings.Clone(v) // not the whole line with it
}

// level reads "2" and ServiceNow's "2 - Medium".
func (f *fieldReader) level(column string) int {
	v := strings.TrimSpace(f.value(column))
	if v == "" {
		return 0
	}
	number, _, _ := strings.Cut(v, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 3 {
		f.wrong(column, v, "is not on the scale", "1 (high), 2 (medium), 3 (low), or leave it empty")
		return 0
	}
	return n
}

func (f *fieldReader) time(column string) time.Time {
	v := strings.TrimSpace(f.value(column))
	t, err := time.Parse(time.RFC3339, v)
	switch {
	case err != nil:
		f.wrong(column, v, "is not an instant", "write it like 2016-02-29T01:16:00Z")
	case t.After(f.now):
		f.wrong(column, v, "lies in the future", "it is "+f.now.UTC().Format(time.RFC3339)+" now; a log tells what has happened")
	case t.Year() < 1990:
		f.wrong(column, v, "lies before 1990", "correct the year")
	}
	return t.UTC()
}
