package workflows_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
)

// promised are targets with their warnings, as triage finds them.
func promised(from time.Time) ticket.Deadlines {
	return ticket.Deadlines{
		Response: from.Add(time.Hour), Resolution: from.Add(8 * time.Hour),
		WarnResponse: from.Add(45 * time.Minute), WarnResolution: from.Add(6 * time.Hour),
		Owed: ticket.Owed{Response: from.Add(time.Hour), Resolution: from.Add(8 * time.Hour)},
	}
}

func TestATargetWarnsIsMissedAndGoesUpTheChain(t *testing.T) {
	d := newDesk(t)
	d.store.routes = []string{"scripted-ai", "tess"}
	d.store.targets, d.store.after, d.store.reroute = promised(monday), 30*time.Minute, true
	d.at(50*time.Minute, func() {
		require.Contains(t, d.store.asked(), "warn response")
		require.Equal(t, "response due", d.status().DueWhat)
	})
	d.after(12*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	calls := d.store.asked()
	for i, call := range []string{"warn response", "breach response", "step 1 up", "route without [scripted-ai]", "step 2 up", "warn resolution"} {
		at := slices.Index(calls, call)
		require.GreaterOrEqual(t, at, 0, "%s never came: %v", call, calls)
		if i > 0 {
			require.Greater(t, at, slices.Index(calls, "warn response"))
		}
	}
	require.Len(t, slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return c != "warn response" && c != "warn resolution" }), 2, "once per target")
	require.Contains(t, calls, "breach resolution")
}

func TestAClaimInTimeIsNotWarnedOf(t *testing.T) {
	d := newDesk(t)
	d.store.targets = promised(monday)
	d.store.targets.WarnResolution = time.Time{}
	d.after(10*time.Minute, ticket.MsgClaim, ticket.Claim{Header: head("c1")})
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.NotContains(t, d.store.asked(), "breach response")
}

func TestAnotherPriorityMovesTheTimers(t *testing.T) {
	d := newDesk(t)
	d.store.targets = ticket.Deadlines{Resolution: monday.Add(8 * time.Hour)}
	d.store.retargets = ticket.Deadlines{Resolution: monday.Add(2 * time.Hour), Owed: ticket.Owed{Resolution: monday.Add(2 * time.Hour)}}
	priorities := d.upserted(ticket.AttrPriority)
	due := d.upserted(ticket.AttrSLADue)
	answer := d.ask(time.Hour, ticket.MsgPrioritise, "p1", ticket.Prioritise{Header: head("p1"), Priority: 1, Reason: "the whole floor is down"})
	refused := d.ask(90*time.Minute, ticket.MsgPrioritise, "p2", ticket.Prioritise{Header: head("p2"), Priority: 9, Reason: "x"})
	d.at(2*time.Hour+time.Minute, func() { require.Contains(t, d.store.asked(), "breach resolution", "at the new deadline") })
	d.after(3*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.True(t, answerOf[ticket.Answer](answer).Effect)
	require.ErrorContains(t, refused.rejected, "is not a priority")
	require.Equal(t, []any{int64(3), int64(1)}, *priorities)
	require.Equal(t, []any{monday.Add(8 * time.Hour), monday.Add(2 * time.Hour)}, *due)
}

func TestADeadlineThatIsMetOrStandsStillIsToldToSearches(t *testing.T) {
	d := newDesk(t)
	d.store.targets = promised(monday)
	response, resolution := d.upserted(ticket.AttrResponse), d.upserted(ticket.AttrSLADue)
	d.after(10*time.Minute, ticket.MsgClaim, ticket.Claim{Header: head("c1")})
	d.after(20*time.Minute, ticket.MsgWait, ticket.Wait{Header: head("w1"), Reason: "customer"})
	d.at(25*time.Minute, func() {
		later := monday.Add(9 * time.Hour)
		d.store.targets = ticket.Deadlines{Resolution: later, Owed: ticket.Owed{Resolution: later}}
	})
	d.after(80*time.Minute, ticket.MsgResume, ticket.Resume{Header: head("v1")})
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.Equal(t, []any{monday.Add(time.Hour)}, *response)
	require.Equal(t, []any{monday.Add(8 * time.Hour), monday.Add(9 * time.Hour)}, *resolution)
}

func TestTheClockIsLookedAtAfterTheClientWasAsked(t *testing.T) {
	d := newDesk(t)
	d.store.targets = ticket.Deadlines{Resolution: monday.Add(2 * time.Hour), OnAsk: true}
	d.store.stands = 3 * time.Hour
	d.after(time.Hour, ticket.MsgRequestApproval, ticket.RequestApproval{Header: head("q1"), Action: "Replace the fuser", Amount: "240.00", Currency: "USD"})
	d.at(3*time.Hour, func() { require.NotContains(t, d.store.asked(), "breach resolution", "it stands still") })
	d.after(4*time.Hour, ticket.MsgSignOff, approve("s1", 50, "ask-1"))
	d.at(5*time.Hour+time.Minute, func() { require.Contains(t, d.store.asked(), "breach resolution", "an hour was left") })
	d.after(6*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
}

// upserted gives what the run wrote into one search attribute, one after the other. The test suite does not tell of what
// is unset; the saved histories do.
func (d *desk) upserted(name string) *[]any {
	values := &[]any{}
	d.upserts = append(d.upserts, func(a temporal.SearchAttributes) {
		for key, value := range a.GetUntypedValues() {
			if key.GetName() == name {
				*values = append(*values, value)
			}
		}
	})
	if len(d.upserts) == 1 {
		d.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
			for _, note := range d.upserts {
				note(args.Get(0).(temporal.SearchAttributes))
			}
		}).Return(nil)
	}
	return values
}

// The saved history of a ticket that was warned of, missed its targets, was claimed, changed its priority, waited and
// was resolved: what searches find after each upsert.
func TestSearchesFindADeadlineWhileItIsOwed(t *testing.T) {
	var response, resolution []bool
	for _, e := range read(t, filepath.Join(histories, "targets.json")).Events {
		fields := e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
		is := func(name string) func([]bool) []bool {
			return func(had []bool) []bool {
				if p, ok := fields[name]; ok {
					return append(had, len(p.GetData()) > 0 && string(p.GetData()) != "null")
				}
				return had
			}
		}
		response, resolution = is(ticket.AttrResponse)(response), is(ticket.AttrSLADue)(resolution)
	}
	require.Equal(t, []bool{true, false}, response, "until somebody has answered, missed or not")
	require.Equal(t, []bool{true, true, false, true, false}, resolution, "another priority moves it, a wait takes it away, resuming gives it back, the closing ends it")
}
