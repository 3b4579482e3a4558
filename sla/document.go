package sla

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CalendarSchema is what a calendar document begins with.
const CalendarSchema = "docket.calendar/v1"

// Document is a calendar as people write it: with an id that contracts name it by, and a name.
type Document struct {
	ID       string   `json:"calendar"`
	Name     string   `json:"name"`
	Calendar Calendar `json:"document"`
}

// Problem is one thing wrong with a calendar document: where it stands, what is wrong with it and what to write instead.
type Problem struct {
	Line    int    `json:"line"` // from 1
	Field   string `json:"field"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("line %d: %s %s: %s", p.Line, p.Field, p.Problem, p.Fix)
}

// Problems lists every Problem within err, in the order of their lines.
func Problems(err error) []*Problem {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		var all []*Problem
		for _, e := range many.Unwrap() {
			all = append(all, Problems(e)...)
		}
		return all
	}
	if one := new(Problem); errors.As(err, &one) {
		return []*Problem{one}
	}
	return nil
}

// The size of documents that are read at all.
const (
	maxDocument = 1 << 20
	maxHolidays = 2000
	maxText     = 200
)

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// ParseCalendar reads a calendar document, YAML or JSON. It refuses one with mistakes, and names all of them at once as
// Problems, each with its line and what to write instead.
func ParseCalendar(doc []byte) (Document, error) {
	r := calendarReader{hours: map[time.Weekday]int{}}
	var d Document
	if root := r.root(doc); root != nil {
		d = r.document(root)
	}
	slices.SortStableFunc(r.found, func(a, b *Problem) int { return a.Line - b.Line })
	errs := make([]error, len(r.found))
	for i, p := range r.found {
		errs[i] = p
	}
	return d, errors.Join(errs...)
}

type calendarReader struct {
	found []*Problem
	hours map[time.Weekday]int // the line that gives a weekday its hours
}

func (r *calendarReader) add(line int, field, problem, fix string) {
	r.found = append(r.found, &Problem{Line: line, Field: field, Problem: problem, Fix: fix})
}

const begins = "begin with `schema: " + CalendarSchema + "`; docs/sla.md shows whole calendars"

func (r *calendarReader) root(doc []byte) *yaml.Node {
	var n yaml.Node
	if len(doc) > maxDocument {
		r.add(1, "document", fmt.Sprintf("is %d bytes long", len(doc)), "a calendar fits into 1 MiB")
		return nil
	}
	switch err := yaml.NewDecoder(bytes.NewReader(doc)).Decode(&n); {
	case errors.Is(err, io.EOF):
		r.add(1, "document", "is empty", begins)
	case err != nil:
		line := 1
		if m := regexp.MustCompile(`line (\d+)`).FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		r.add(line, "document", "is neither YAML nor JSON ("+strings.TrimPrefix(err.Error(), "yaml: ")+")", "check the indentation and the quotes around that line")
	case len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode:
		r.add(1, "document", "is not a list of fields", begins)
	default:
		return n.Content[0]
	}
	return nil
}

func (r *calendarReader) document(root *yaml.Node) (d Document) {
	var schema string
	given := r.fields(root, "", map[string]func(field string, n *yaml.Node){
		"schema":   func(f string, n *yaml.Node) { schema = r.text(f, n) },
		"calendar": func(f string, n *yaml.Node) { d.ID = r.text(f, n) },
		"name":     func(f string, n *yaml.Node) { d.Name = r.text(f, n) },
		"zone":     func(f string, n *yaml.Node) { d.Calendar.Zone = r.zone(f, n) },
		"hours":    func(f string, n *yaml.Node) { d.Calendar.Hours = r.week(f, n) },
		"holidays": func(f string, n *yaml.Node) { d.Calendar.Holidays, d.Calendar.Recurring = r.holidays(f, n) },
	})
	for _, must := range []struct{ field, fix string }{
		{"schema", begins},
		{"calendar", "give it the id by which contracts name it"},
		{"name", "say what people call it"},
		{"zone", "name the IANA time zone whose wall clock the hours follow, such as Europe/Berlin"},
		{"hours", "give at least one weekday its windows, such as `weekdays: [\"08:00-17:00\"]`"},
	} {
		if given[must.field] == 0 {
			r.add(root.Line, must.field, "is missing", must.fix)
		}
	}
	if at := given["schema"]; at > 0 && schema != "" && schema != CalendarSchema {
		r.add(at, "schema", strconv.Quote(schema)+" is not known", "write "+CalendarSchema)
	}
	if at := given["calendar"]; at > 0 && d.ID != "" && (!idShape.MatchString(d.ID) || d.ID == "24x7") {
		r.add(at, "calendar", strconv.Quote(d.ID)+" is not an id", "use 1 to 63 lower-case letters, digits and hyphens; 24x7 is built in")
	}
	return d
}

// fields hands each field of a mapping to its reader, and gives the lines of those that are there.
func (r *calendarReader) fields(n *yaml.Node, within string, known map[string]func(string, *yaml.Node)) map[string]int {
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field := within + key.Value
		read, is := known[key.Value]
		switch {
		case !is:
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			r.add(key.Line, shorten(field), "is not a field here", "use "+strings.Join(names, ", "))
		case lines[key.Value] > 0:
			r.add(key.Line, field, "is there twice", "keep one of them")
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			lines[key.Value] = key.Line
			r.add(key.Line, field, "uses an anchor or an alias", "write the value out where it is meant")
		default:
			lines[key.Value] = key.Line
			read(field, value)
		}
	}
	return lines
}

func (r *calendarReader) text(field string, n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "":
		r.add(n.Line, field, "has no value", "write a single text")
	case len(n.Value) > maxText || strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		r.add(n.Line, field, "is too long or has a control character", "write one line of at most 200 bytes")
	default:
		return n.Value
	}
	return ""
}

func (r *calendarReader) zone(field string, n *yaml.Node) string {
	name := r.text(field, n)
	if name == "" {
		return ""
	}
	if _, err := Zone(name); err != nil {
		r.add(n.Line, field, strconv.Quote(shorten(name))+" is not a time zone", "use a name of the IANA database, such as America/New_York")
	}
	return name
}

// The names that stand for several weekdays.
var several = map[string][]time.Weekday{
	"weekdays":  {time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
	"weekend":   {time.Saturday, time.Sunday},
	"every_day": {time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday},
}

func (r *calendarReader) week(field string, n *yaml.Node) (w Week) {
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, field, "is not a list of weekdays", "write `weekdays: [\"08:00-17:00\"]` below it, or a line for each day")
		return w
	}
	known := map[string]func(string, *yaml.Node){}
	on := func(days ...time.Weekday) func(string, *yaml.Node) {
		return func(field string, n *yaml.Node) {
			windows := r.windows(field, n)
			for _, day := range days {
				if at, taken := r.hours[day]; taken {
					r.add(n.Line, field, fmt.Sprintf("gives %s hours that line %d gave it", day, at), "say them once")
					return
				}
				r.hours[day] = n.Line
				w.set(day, windows)
			}
		}
	}
	for name, days := range several {
		known[name] = on(days...)
	}
	for name, day := range weekdays {
		known[name] = on(day)
	}
	had := len(r.found)
	r.fields(n, field+".", known)
	if w.Empty() && len(r.found) == had {
		r.add(n.Line, field, "has none, so nothing would ever be due", "give at least one weekday its windows")
	}
	return w
}

func (r *calendarReader) windows(field string, n *yaml.Node) (windows []Window) {
	if n.Kind != yaml.SequenceNode {
		r.add(n.Line, field, "is not a list of windows", `write it as ["08:00-12:00", "13:00-17:00"]`)
		return nil
	}
	had := len(r.found)
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", field, i)
		var w Window
		if err := w.UnmarshalText([]byte(item.Value)); err != nil {
			r.add(item.Line, at, strconv.Quote(shorten(item.Value))+" is not a window", `write it as "08:00-17:00", in quotes`)
		} else if err := w.Validate(); err != nil {
			problem, fix := split(err)
			r.add(item.Line, at, problem, fix)
		} else {
			windows = append(windows, w)
		}
	}
	if err := validateWindows(windows); err != nil && len(r.found) == had {
		problem, fix := split(err)
		r.add(n.Line, field, problem, fix)
	}
	return windows
}

// split parts what is wrong from what to do: the errors of this package say both.
func split(err error) (problem, fix string) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if before, after, ok := strings.Cut(first, "; "); ok {
		return "has " + before, after
	}
	return "has " + first, "see docs/sla.md"
}

func (r *calendarReader) holidays(field string, n *yaml.Node) (dates []Holiday, recurring []Recurring) {
	if n.Kind != yaml.SequenceNode {
		r.add(n.Line, field, "is not a list", "write `- {date: 2026-12-24, name: Christmas Eve}`, one a line")
		return nil, nil
	}
	if len(n.Content) > maxHolidays {
		r.add(n.Line, field, fmt.Sprintf("are %d", len(n.Content)), "at most 2000 fit; say those of every year with `every`")
		return nil, nil
	}
	seen := map[string]int{}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", field, i)
		h, every, ok := r.holiday(at, item)
		if !ok {
			continue
		}
		key := every + h.Date.String()
		if line, twice := seen[key]; twice {
			r.add(item.Line, at, fmt.Sprintf("is the day of line %d again", line), "keep one, with all its windows")
			continue
		}
		seen[key] = item.Line
		if every != "" {
			recurring = append(recurring, Recurring{Every: every, Name: h.Name, Windows: h.Windows})
			continue
		}
		dates = append(dates, h)
	}
	return dates, recurring
}

func (r *calendarReader) holiday(at string, n *yaml.Node) (h Holiday, every string, ok bool) {
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, at, "is not a holiday", "write `{date: 2026-12-24, name: Christmas Eve}` or `{every: 12-25, name: Christmas Day}`")
		return h, "", false
	}
	had := len(r.found)
	given := r.fields(n, at+".", map[string]func(string, *yaml.Node){
		"date": func(f string, n *yaml.Node) {
			var err error
			if h.Date, err = ParseDate(n.Value); err != nil {
				r.add(n.Line, f, strconv.Quote(shorten(n.Value))+" is no day of the calendar", "write a day that exists as YYYY-MM-DD, such as 2026-12-24")
			}
		},
		"every": func(f string, n *yaml.Node) {
			every = n.Value
			if _, err := parseEvery(every); err != nil {
				r.add(n.Line, f, strconv.Quote(shorten(every))+" is no day of any year", everyShape)
			}
		},
		"name":    func(f string, n *yaml.Node) { h.Name = r.text(f, n) },
		"windows": func(f string, n *yaml.Node) { h.Windows = r.windows(f, n) },
	})
	switch {
	case given["date"] == 0 && given["every"] == 0:
		r.add(n.Line, at, "has no day", "give it a date, or say `every: 12-25`")
	case given["date"] > 0 && given["every"] > 0:
		r.add(n.Line, at, "has a date and a rule", "keep one of date and every")
	}
	return h, every, len(r.found) == had
}
