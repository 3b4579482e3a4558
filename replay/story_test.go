package replay_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/replay"
	"github.com/docket-psa/docket/ticket"
)

var opened = time.Date(2016, 2, 29, 8, 0, 0, 0, time.UTC)

// many technicians, so that each of the log's people and groups is played by another.
func many(t require.TestingT) replay.Cast {
	var people []ticket.Person
	for i := range 5000 {
		people = append(people, ticket.Person{ID: fmt.Sprintf("tech.%04d", i), Kind: ticket.Human, Roles: []string{"technician"}})
	}
	return castOf(t, people...)
}

func castOf(t require.TestingT, people ...ticket.Person) replay.Cast {
	cast, err := replay.NewCast([]ticket.Client{{ID: "acme"}, {ID: "bolt"}}, people)
	require.NoError(t, err)
	return cast
}

// incident writes rows as "minute state person group", minutes since the opening, - for none.
func incident(rows ...string) replay.Incident {
	in := replay.Incident{Number: "INC1"}
	for i, text := range rows {
		f := strings.Fields(text)
		minute, _ := strconv.Atoi(f[0])
		n := len(f)
		none := func(s string) string { return strings.TrimPrefix(s, "-") }
		in.Rows = append(in.Rows, replay.Row{
			Line: i + 2, Number: "INC1", State: strings.Join(f[1:n-2], " "), Assigned: none(f[n-2]), Group: none(f[n-1]),
			Caller: "2403", Contact: "Phone", Category: "55", Impact: 2, Urgency: 2,
			OpenedAt: opened, UpdatedAt: opened.Add(time.Duration(minute) * time.Minute),
		})
	}
	return in
}

// script writes a story's steps as "minute kind who …", with people named as the log names them.
func script(s replay.Story) []string {
	players := map[string]string{}
	cast := many(panics{})
	for _, n := range []string{"1", "2", "3"} {
		of := func(row string) string {
			story := replay.Tell(incident(row), cast)
			return story.Steps[0].Header.Who
		}
		players[of("0 Active "+n+" -")] = "person " + n
		players[of("0 Active - "+n)] = "keeper of " + n
	}
	players[replay.Tell(incident("0 Active - -"), cast).Steps[0].Header.Who] = "anybody"
	who := func(id string) string {
		if name, ok := players[id]; ok {
			return name
		}
		return id
	}
	var lines []string
	for _, step := range s.Steps {
		line := fmt.Sprintf("%d %s by %s", int(step.Header.At.Sub(opened).Minutes()), step.Kind, who(step.Header.Who))
		switch m := step.Message.(type) {
		case ticket.Wait:
			line += " for " + m.Reason
		case ticket.Resolve:
			for _, w := range m.Work {
				line += fmt.Sprintf(", %s from %d for %d min", who(w.Actor), int(w.StartedAt.Sub(opened).Minutes()), w.MS/60000)
			}
		}
		if step.Refused != "" {
			line += ": " + step.Refused
		}
		lines = append(lines, line)
	}
	return lines
}

type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

func TestEachChangeIsTheMessageItStandsFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rows   []string
		want   []string
		silent []replay.Kind
	}{
		{
			name: "assigned, begun, resolved, confirmed",
			rows: []string{"10 New 1 1", "20 Active 1 1", "20 Active 1 1", "65 Resolved 1 1", "7200 Closed 1 1"},
			want: []string{
				"10 claim by person 1", "65 resolve by person 1, person 1 from 20 for 45 min", "7200 confirm by docket",
			},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "resolved without ever being Active: the last quarter of an hour",
			rows: []string{"3 New 1 1", "120 Resolved 1 1", "7200 Closed 1 1"},
			want: []string{"3 claim by person 1", "120 resolve by person 1, person 1 from 105 for 15 min", "7200 confirm by docket"},
		},
		{
			name: "first seen when resolved, shortly after it was opened",
			rows: []string{"8 Resolved 1 1", "7200 Closed 1 1"},
			want: []string{"8 claim by person 1", "8 resolve by person 1, person 1 from 0 for 8 min", "7200 confirm by docket"},
		},
		{
			name: "resolved in the minute in which it was opened: written down after the call",
			rows: []string{"0 Resolved 1 1"},
			want: []string{"0 claim by person 1", "0 resolve by person 1, person 1 from -1 for 1 min"},
		},
		{
			name:   "a stay in Active over the weekend is two hours of work",
			rows:   []string{"0 Active 1 1", "4000 Resolved 1 1"},
			want:   []string{"0 claim by person 1", "4000 resolve by person 1, person 1 from 0 for 120 min"},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "a stay that is handed on is the work of both",
			rows: []string{"0 Active 1 1", "30 Active 2 1", "50 Resolved 2 1"},
			want: []string{
				"0 claim by person 1", "30 claim by person 2", "50 resolve by person 2, person 1 from 0 for 30 min, person 2 from 30 for 20 min",
			},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "a group alone makes nobody begin, until work begins",
			rows: []string{"0 New - 1", "20 New - 2", "40 Active - 2", "50 Active - 3", "60 Active 1 3", "70 Resolved 1 3"},
			want: []string{
				"40 claim by keeper of 2", "50 claim by keeper of 3", "60 claim by person 1",
				"70 resolve by person 1, keeper of 2 from 40 for 10 min, keeper of 3 from 50 for 10 min, person 1 from 60 for 10 min",
			},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "nobody and no group: somebody does it all the same",
			rows: []string{"0 New - -", "30 Resolved - -"},
			want: []string{"30 claim by anybody", "30 resolve by anybody, anybody from 15 for 15 min"},
		},
		{
			name: "waits for the customer and goes on",
			rows: []string{"0 Active 1 1", "10 Awaiting User Info 1 1", "500 Active 1 1", "520 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", "10 wait by person 1 for customer", "500 resume by person 1",
				"520 resolve by person 1, person 1 from 0 for 10 min, person 1 from 500 for 20 min",
			},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "waits for another: one wait ends, another begins",
			rows: []string{"0 New 1 1", "10 Awaiting User Info 1 1", "20 Awaiting Vendor 1 1", "30 Awaiting Vendor 1 1", "40 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", "10 wait by person 1 for customer", "20 resume by person 1", "20 wait by person 1 for vendor",
				"40 resolve by person 1, person 1 from 25 for 15 min",
			},
		},
		{
			name: "closed without being resolved",
			rows: []string{"0 New 1 1", "30 Closed 1 1"},
			want: []string{"0 claim by person 1", "30 resolve by person 1, person 1 from 15 for 15 min", "30 confirm by docket"},
		},
		{
			name: "reopened after closing, and worked on by another",
			rows: []string{"0 Resolved 1 1", "100 Closed 1 1", "200 Active 2 1", "210 Resolved 2 1", "300 Closed 2 1"},
			want: []string{
				"0 claim by person 1", "0 resolve by person 1, person 1 from -1 for 1 min", "100 confirm by docket",
				"200 reopen by person 2", "200 claim by person 2", "210 resolve by person 2, person 2 from 200 for 10 min", "300 confirm by docket",
			},
		},
		{
			name: "reopened to wait, and resolved in the same minute: nothing was worked",
			rows: []string{"0 Resolved 1 1", "100 Awaiting Vendor 1 1", "100 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", "0 resolve by person 1, person 1 from -1 for 1 min",
				"100 reopen by person 1", "100 wait by person 1 for vendor", "100 resolve by person 1",
			},
		},
		{
			name: "a junk state is refused, once, and the incident goes on where it was",
			rows: []string{"0 New 1 1", "10 -100 1 1", "11 -100 1 1", "30 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", `10 change by docket: the state "-100" is none of the desk's`,
				"30 resolve by person 1, person 1 from 15 for 15 min",
			},
		},
		{
			name: "no way back to New once work has begun",
			rows: []string{"0 Active 1 1", "10 New 1 1", "20 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", "10 change by docket: work has begun, and the desk has no way back to New",
				"20 resolve by person 1, person 1 from 0 for 10 min",
			},
			silent: []replay.Kind{replay.Start},
		},
		{
			name: "resolved after it was closed",
			rows: []string{"0 Resolved 1 1", "10 Closed 1 1", "20 Resolved 1 1"},
			want: []string{
				"0 claim by person 1", "0 resolve by person 1, person 1 from -1 for 1 min", "10 confirm by docket",
				"20 change by docket: it is closed; only a reopened one can be resolved again",
			},
		},
		{
			name: "assigned after it was resolved: the desk refuses it, and is told again when it is reopened",
			rows: []string{"0 Resolved 1 1", "10 Resolved 2 1", "20 Active 2 1", "30 Resolved 2 1"},
			want: []string{
				"0 claim by person 1", "0 resolve by person 1, person 1 from -1 for 1 min", "10 claim by person 2",
				"20 reopen by person 2", "20 claim by person 2", "30 resolve by person 2, person 2 from 20 for 10 min",
			},
		},
		{
			name: "a time that runs backwards counts as the one before it",
			rows: []string{"60 New 1 1", "5 New 1 1", "50 Resolved 1 1"},
			want: []string{"60 claim by person 1", "60 resolve by person 1, person 1 from 45 for 15 min"},
		},
		{
			name: "changed before it was opened, by the log's clock",
			rows: []string{"-90 New 1 1", "20 Resolved 1 1"},
			want: []string{"0 claim by person 1", "20 resolve by person 1, person 1 from 5 for 15 min"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story := replay.Tell(incident(tt.rows...), many(t))
			assert.Equal(t, tt.want, script(story))
			assert.Equal(t, tt.silent, story.Silent)
		})
	}
}

func TestOneTechnicianPlaysSeveralPeople(t *testing.T) {
	alone := castOf(t, ticket.Person{ID: "tom", Kind: ticket.Human, Roles: []string{"technician"}})
	story := replay.Tell(incident("0 Active 1 1", "10 Active 2 1", "20 Resolved 2 1"), alone)
	require.Len(t, story.Steps, 2, "a claim and a resolution: tom has it already when person 2 takes it")
	assert.Equal(t, []replay.Kind{replay.Start, replay.Keep}, story.Silent)
	assert.Len(t, story.Steps[1].Message.(ticket.Resolve).Work, 1, "one stay")
}

func TestAnIncidentOpensItsTicket(t *testing.T) {
	in := incident("5 New 1 1")
	in.Rows[0].Subcategory, in.Rows[0].Symptom, in.Rows[0].Location, in.Rows[0].Contact = "170", "72", "143", "Email"
	o := replay.Tell(in, many(t)).Opening
	require.NoError(t, o.Validate(time.Now()))
	assert.Equal(t, ticket.Opening{
		Client: o.Client, Subject: "INC1, category 55, subcategory 170, symptom 72, location 143", Channel: "mail",
		Source: "uci-log", ExternalID: "INC1", EventID: "INC1/opened", OpenedAt: opened, EventTime: true,
		Category: "category 55", Subcategory: "subcategory 170", Impact: 2, Urgency: 2,
	}, o)
	assert.Contains(t, []string{"acme", "bolt"}, o.Client)
}

func TestCallersKeepTheirClient(t *testing.T) {
	cast := many(t)
	seen := map[string]bool{}
	for caller := range 50 {
		in := incident("0 New - -")
		in.Rows[0].Caller = strconv.Itoa(caller)
		client := replay.Tell(in, cast).Opening.Client
		seen[client] = true
		in.Number, in.Rows[0].Number, in.Rows[0].Location = "INC2", "INC2", "9"
		assert.Equal(t, client, replay.Tell(in, cast).Opening.Client)
	}
	assert.Len(t, seen, 2, "all clients have callers")
}

func TestACastNeedsClientsAndTechnicians(t *testing.T) {
	_, err := replay.NewCast(nil, []ticket.Person{
		{ID: "ann", Kind: ticket.Human, Client: "acme", Roles: []string{"technician"}},
		{ID: "bot", Kind: ticket.AI, Roles: []string{"technician"}},
		{ID: "dora", Kind: ticket.Human, Roles: []string{"dispatcher"}},
	})
	require.Len(t, ticket.Problems(err), 2)
}

// Whatever a log says: every message is well formed and at an instant of its own, after the one
// before it; work lies within what the log knows, is bounded, and never overlaps on one ticket;
// and the same rows tell the same story.
func TestAnyLogTellsASoundStory(t *testing.T) {
	cast := castOf(t, ticket.Person{ID: "tom", Kind: ticket.Human, Roles: []string{"technician"}},
		ticket.Person{ID: "ines", Kind: ticket.Human, Roles: []string{"technician"}})
	states := []string{"New", "Active", "Awaiting User Info", "Awaiting Vendor", "Resolved", "Closed", "-100"}
	rapid.Check(t, func(t *rapid.T) {
		minute := 0
		var rows []string
		for range rapid.IntRange(1, 25).Draw(t, "rows") {
			minute += rapid.SampledFrom([]int{0, 0, 1, 7, 60, 500, 9000, -30}).Draw(t, "minutes")
			rows = append(rows, fmt.Sprintf("%d %s %s %s", minute, rapid.SampledFrom(states).Draw(t, "state"),
				rapid.SampledFrom([]string{"-", "1", "2", "3"}).Draw(t, "person"), rapid.SampledFrom([]string{"-", "1", "2"}).Draw(t, "group")))
		}
		in := incident(rows...)
		story := replay.Tell(in, cast)
		assert.Equal(t, story, replay.Tell(in, cast))

		last, keys, free := opened, map[string]bool{}, opened.Add(-time.Minute)
		for _, step := range story.Steps {
			require.True(t, step.Header.At.After(last), "%v", rows)
			last = step.Header.At
			require.False(t, keys[step.Header.OperationKey])
			keys[step.Header.OperationKey] = true
			if step.Message != nil {
				require.NoError(t, step.Message.Validate())
			}
			m, ok := step.Message.(ticket.Resolve)
			if !ok {
				continue
			}
			for _, w := range m.Work {
				require.False(t, w.StartedAt.Before(free), "%v: overlaps", rows)
				free = w.StartedAt.Add(time.Duration(w.MS) * time.Millisecond)
				require.Positive(t, w.MS)
				require.LessOrEqual(t, w.MS, replay.Longest.Milliseconds())
				require.False(t, free.After(m.At), "%v: worked after the resolution", rows)
			}
		}
	})
}
