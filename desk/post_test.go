package desk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// An accepted ticket needs no start of its own: its first mail starts it, and is acted on in the
// order in which it happened.
func TestTheFirstMailStartsAnAcceptedTicket(t *testing.T) {
	o := openOffice(t)
	o.work()
	ctx := t.Context()
	opened, err := o.Accept(ctx, opening("the scanner is silent"))
	require.NoError(t, err)
	assert.False(t, opened.Started)

	at := time.Now().UTC().Add(-time.Minute)
	head := func(key string, after time.Duration) ticket.Header {
		return ticket.Header{OperationKey: key, Who: "tom.reyes", Via: ticket.ViaCLI, At: at.Add(after)}
	}
	mail := []ticket.Message{
		ticket.Claim{Header: head("claim", 1)},
		ticket.Wait{Header: head("wait", 2*time.Millisecond), Reason: "customer"},
		ticket.Resume{Header: head("resume", 3*time.Millisecond)},
		ticket.Wait{Header: head("wait again", 4*time.Millisecond), Reason: "vendor"},
	}
	require.NoError(t, o.Post(ctx, opened.Ticket, mail...))
	require.Eventually(t, func() bool {
		shown, err := o.Show(ctx, opened.Ticket)
		if err != nil {
			return false
		}
		var kinds []string
		for _, m := range shown.Timeline {
			if m.Actor == "tom.reyes" && m.Effect {
				kinds = append(kinds, m.Kind)
			}
		}
		return assert.ObjectsAreEqual([]string{"claim", "wait", "resume", "wait"}, kinds)
	}, 30*time.Second, 20*time.Millisecond)
	o.eventually(opened.Ticket, ticket.Waiting)
}

func TestNothingIsPostedWhereOneIsMalformed(t *testing.T) {
	o := openOffice(t)
	ctx := t.Context()
	opened, err := o.Accept(ctx, opening("posted"))
	require.NoError(t, err)
	err = o.Post(ctx, opened.Ticket, ticket.Claim{Header: by("tom.reyes")}, ticket.Wait{Header: by("tom.reyes")})
	require.NotEmpty(t, ticket.Problems(err))
	err = o.Post(ctx, opened.Ticket, ticket.Resolve{Header: by("tom.reyes"), Resolution: "fixed"})
	require.ErrorContains(t, err, "asks for an answer")
	shown, err := o.Show(ctx, opened.Ticket)
	require.NoError(t, err)
	assert.Nil(t, shown.Live, "no run was started")
}
