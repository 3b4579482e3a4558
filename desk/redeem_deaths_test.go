package desk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

// dying is a process that dies before, or after, one of the steps by which it redeems a link: what it asks of the store, and
// what it sends to Temporal.
type dying struct {
	*step
	desk.Store
}

type dyingClient struct {
	*step
	client.Client
}

type step struct {
	n     int // steps begun
	die   int // at which it dies, from 1; 0: at none
	after bool
	dead  bool
}

var errDead = errors.New("the process is dead")

func (d *dying) HoldByID(ctx context.Context, hold int64) (billing.HoldView, error) {
	return stepped(d.step, func() (billing.HoldView, error) { return d.Store.HoldByID(ctx, hold) })
}

func (d *dying) Prove(ctx context.Context, name ticket.Name, m ticket.Message) (string, error) {
	return stepped(d.step, func() (string, error) { return d.Store.Prove(ctx, name, m) })
}

func (d *dying) Where(ctx context.Context, id ticket.ID) (ticket.Summary, error) {
	return stepped(d.step, func() (ticket.Summary, error) { return d.Store.Where(ctx, id) })
}

func (d *dying) NoteLink(ctx context.Context, l ticket.Link, outcome, says string) error {
	_, err := stepped(d.step, func() (struct{}, error) { return struct{}{}, d.Store.NoteLink(ctx, l, outcome, says) })
	return err
}

func (d *dyingClient) UpdateWithStartWorkflow(ctx context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return stepped(d.step, func() (client.WorkflowUpdateHandle, error) { return d.Client.UpdateWithStartWorkflow(ctx, o) })
}

func stepped[A any](s *step, do func() (A, error)) (answer A, err error) {
	s.n++
	dies := s.n == s.die
	if s.dead = s.dead || dies && !s.after; s.dead {
		return answer, errDead
	}
	answer, err = do()
	if s.dead = dies; s.dead {
		var none A
		return none, errDead
	}
	return answer, err
}

// The process dies before and after each step between the link and the word's record; its person presses the button again, and
// it is one word. The steps are counted on an undisturbed one.
func TestALinkWhoseProcessDiesAtAnyStepIsOneWord(t *testing.T) {
	o := openOffice(t)
	o.work()
	ctx := t.Context()
	key, err := o.store.LinkKey(ctx)
	require.NoError(t, err)
	subjects := 0
	for name, c := range map[string]struct {
		say     desk.Decision
		late    bool
		outcome billing.Outcome
		steps   int
	}{
		"yes":      {yes, false, billing.Settled, 5},
		"no":       {no, false, billing.Passed, 5},
		"too late": {yes, true, billing.Stale, 2},
	} {
		redeemed := func(t *testing.T, s *step) (steps int) {
			subjects++
			id, q := o.quoted(fmt.Sprintf("link %d", subjects))
			l := ticket.Link{Hold: q.Hold, Step: q.Step, Digest: q.Digest, Person: q.Approvers[0], Expires: q.ExpiresAt.Unix()}
			if c.late {
				l.Expires = time.Now().Add(-time.Minute).Unix()
			}
			token, err := l.Seal(key)
			require.NoError(t, err)
			mortal := desk.New(&dying{s, o.store}, &dyingClient{s, o.temporal}, desk.Options{Now: time.Now, Log: quiet})
			_, err = mortal.Redeem(ctx, key, token, c.say)
			if s.die > 0 {
				require.ErrorIs(t, err, errDead)
			} else {
				require.NoError(t, err)
			}
			again, err := o.Redeem(ctx, key, token, c.say)
			require.NoError(t, err)
			require.Equal(t, c.outcome, again.Outcome, again.Says)

			shown, err := o.Show(ctx, id)
			require.NoError(t, err)
			words := 0
			for _, m := range shown.Timeline {
				if m.Kind == string(ticket.MsgSignOff) {
					require.True(t, m.Effect, m.Says)
					words++
				}
			}
			require.Equal(t, c.late, words == 0)
			require.LessOrEqual(t, words, 1, "one word")
			uses, err := o.store.LinkUses(ctx, q.Hold)
			require.NoError(t, err)
			require.NotEmpty(t, uses)
			for _, u := range uses {
				require.Equal(t, uses[0].Outcome, u.Outcome, "each use is on record, and came to the same")
			}
			return s.n
		}
		t.Run(name, func(t *testing.T) {
			steps := redeemed(t, &step{})
			require.Equal(t, c.steps, steps, "the steps of a link")
			for die := 1; die <= steps; die++ {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("step %d of %d, after %t", die, steps, after), func(t *testing.T) {
						redeemed(t, &step{die: die, after: after})
					})
				}
			}
		})
	}
	found, err := o.store.Audit(ctx, nil)
	require.NoError(t, err)
	require.True(t, found.Clean(), "%+v", found)
}
