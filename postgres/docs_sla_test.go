package postgres

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

var fenced = regexp.MustCompile("(?s)```(yaml calendar|yaml contract|example)\n(.*?)```")

// TestTheTicketOfTheSLAPage applies the documents of docs/sla.md and plays its ticket, line by line.
func TestTheTicketOfTheSLAPage(t *testing.T) {
	page, err := os.ReadFile("../docs/sla.md")
	require.NoError(t, err)
	k := newKit(t)
	played := 0
	for _, block := range fenced.FindAllStringSubmatch(string(page), -1) {
		switch kind, text := block[1], block[2]; kind {
		case "yaml calendar":
			_, err := k.ApplyCalendar(k.ctx, []byte(text), "dora")
			require.NoError(t, err)
		case "yaml contract":
			_, err := k.ApplyContract(k.ctx, []byte(text), "dora", true)
			require.NoError(t, err)
		case "example":
			played += k.play(text)
		}
	}
	require.Equal(t, 8, played)
}

const onTheWall = "Mon 2006-01-02 15:04"

// play does what each line says at its time, and compares what is true then.
func (k *kit) play(text string) (lines int) {
	k.t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(k.t, err)
	var id ticket.ID
	for line := range strings.Lines(text) {
		lines++
		did, want, _ := strings.Cut(strings.TrimSpace(line), "=>")
		at, err := time.ParseInLocation(onTheWall, did[:len(onTheWall)], berlin)
		require.NoError(k.t, err)
		k.at(at.UTC())
		deed, what, _ := strings.Cut(strings.TrimSpace(did[len(onTheWall):]), " ")
		var answer ticket.Answer
		switch deed {
		case "opened":
			o := k.opening("northwind")
			o.Impact, o.Urgency = 2, 2
			id = k.openAs(o)
		case "claimed":
			answer, err = k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
		case "waits":
			answer, err = k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: strings.TrimPrefix(what, "for ")})
		case "resumed":
			answer, err = k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
		case "priority":
			priority, bad := strconv.Atoi(what)
			require.NoError(k.t, bad)
			answer = k.prioritise(id, priority)
		case "warned":
			answer, err = k.Warn(k.ctx, id, 1, "resolution")
		case "missed":
			answer, err = k.Breach(k.ctx, id, 1, "resolution")
		case "escalated":
			answer, err = k.StepUp(k.ctx, id, 1, 1)
		default:
			k.t.Fatalf("an example cannot say %q", deed)
		}
		require.NoError(k.t, err)
		for _, say := range strings.Split(strings.TrimSpace(want), ", ") {
			k.stands(id, say, answer, berlin, line)
		}
	}
	return lines
}

// stands compares one thing that a line says: a deadline, what is left, or who was told.
func (k *kit) stands(id ticket.ID, say string, answer ticket.Answer, zone *time.Location, line string) {
	k.t.Helper()
	what, value, _ := strings.Cut(say, " ")
	due := k.brief(id).Deadlines
	switch what {
	case "response":
		require.Equal(k.t, value, due.Response.In(zone).Format(onTheWall), line)
	case "resolution":
		require.Equal(k.t, value, due.Resolution.In(zone).Format(onTheWall), line)
	case "told":
		require.Contains(k.t, answer.Says, "told "+value, line)
	default:
		clocks, err := k.Clocks(k.ctx, id)
		require.NoError(k.t, err)
		left, err := time.ParseDuration(what)
		require.NoError(k.t, err, line)
		require.Nil(k.t, clocks[1].Due)
		require.Equal(k.t, left.Milliseconds(), clocks[1].LeftMS, line)
	}
}
