package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// TestEdge65WaivingSetsRightWhatCameAfter: a closing that nobody may order waits, another one posts after it, and then the
// first is written off. What posted is what the other one costs by itself.
func TestEdge65WaivingSetsRightWhatCameAfter(t *testing.T) {
	hourly := func(day int) billing.Facts { return facts(nil, work(1, noon.AddDate(0, 0, day), hour)) }
	for name, c := range map[string]struct {
		terms   string
		closing func(day int) billing.Facts
		before  int // closings before it
		want    string
		says    string
		total   string
	}{
		"AI time": {
			"lines: [{clause: T1, name: Agents, charge: time}]\nrates: [{actor: ai, hourly: 150}]\n",
			func(int) billing.Facts { return facts(nil, aiWork(1, noon, 2*second)) }, 1,
			"correction T1 1 piece × 0.01 = 0.01",
			"H-7 was waived, so 2 s of AI time was not used: the count goes from 6 s to 4 s, and all that was charged by it should come to 0.08 EUR less. The quote of 0.09 EUR",
			"0.17",
		},
		"a retainer": {
			"lines: [{clause: W1, name: Advice, charge: retainer, price: 500, retainer: 150}]\nrates: [{hourly: 100}]\n", hourly, 0,
			"correction W1 1 piece × -50 = -50",
			"H-7 was waived, so 100.00 EUR of its cost was not used: the count goes from 200.00 EUR to 100.00 EUR, and all that was charged by it should come to 50.00 EUR more. The quote of -100.00 EUR",
			"0",
		},
		"a cap": {
			"lines: [{clause: T1, name: Support, charge: time, cap: 150}]\nrates: [{hourly: 100}]\n", hourly, 0,
			"correction T1 1 piece × 50 = 50",
			"H-7 was waived, so 100.00 EUR of its cost was not used: the count goes from 200.00 EUR to 100.00 EUR, and all that was charged by it should come to 50.00 EUR more. The quote of 0.00 EUR",
			"100",
		},
		"a day's minimum": {
			"lines: [{clause: T2, name: Travel, charge: time, time: {minimum: 1h, scope: day}}]\nrates: [{hourly: 100}]\n",
			func(int) billing.Facts { return facts(nil, work(1, noon, 20*minute)) }, 0,
			"correction T2 1 piece × 100 = 100",
			"H-7 was waived, so 20 min of the day was not used: the count goes from 40 min to 20 min, and all that was charged by it should come to as much as before. The quote of 100.00 EUR",
			"100",
		},
		"tiers of use": {
			"lines: [{clause: V1, name: Actions, charge: usage, usage: {event: action, model: graduated, tiers: [{up_to: 5, unit: 1}, {unit: 0.5}]}}, {clause: A1, name: Rest, charge: covered}]\n",
			func(int) billing.Facts {
				f := facts(nil, work(1, noon, minute))
				f.Events = []billing.Event{event(1, "action", "5")}
				return f
			}, 0,
			"correction V1 1 piece × 2.5 = 2.5",
			"H-7 was waived, so 5 of it was not used: the count goes from 10 to 5, and all that was charged by it should come to 2.50 EUR less. The quote of 5.00 EUR",
			"5",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{version: version(t, contract("ALL-1", c.terms+"callers: {people: [P-1]}\n"))}
			day := 0
			closes := func(contact string) *bookRound {
				f := c.closing(day)
				f.Ticket.Contact, f.Contracts = contact, []billing.Version{b.version}
				day++
				r, _ := b.close(t, f)
				return r
			}
			for range c.before {
				closes("P-1")
			}
			held := closes("P-7")
			require.Len(t, held.holds, 1)
			closes("P-1")
			writeOff := billing.Ruling{Action: billing.WriteOff, By: "D-1"}
			hold := held.holds[0]
			b.settle(t, held, 0, writeOff)
			correction := held.posted[len(held.posted)-1]
			require.Equal(t, c.want, render([]billing.Charge{correction.Charge}))
			require.Contains(t, billing.Explain(correction.Charge)[0], c.says)
			require.Equal(t, c.total, b.sum())
			b.proved(t)
			b.requireStanding(t)

			_, err := billing.Reverse(correction.id, correction.Charge, b.version.Terms, b.counters)
			require.ErrorContains(t, err, "stands")
			for _, r := range b.rounds {
				b.undo(t, r)
			}
			require.Equal(t, "0", b.sum())

			t.Run("last of all, it leaves nothing to set right", func(t *testing.T) {
				last := closes("P-7")
				require.Len(t, last.holds, 1)
				posted := len(last.posted) + len(last.holds[0].Charges)
				b.settle(t, last, 0, writeOff)
				require.Len(t, last.posted, posted)
			})
			t.Run("by earlier rules it is let go of as it was then", func(t *testing.T) {
				posted, err := billing.Undo(b.counters).Release("H-7", 2, hold, nil, held.terms)
				require.NoError(t, err)
				require.Empty(t, posted)
			})
		})
	}
}

// TestCorrectionsAreMadeAgain: a correction that says something else than its hold gives is found.
func TestCorrectionsAreMadeAgain(t *testing.T) {
	b := &book{version: version(t, contract("ALL-1", "lines: [{clause: T1, name: Support, charge: time, cap: 150}]\nrates: [{hourly: 100}]\ncallers: {people: [P-1]}\n"))}
	for _, contact := range []string{"P-7", "P-1"} {
		f := facts([]billing.Version{b.version}, work(1, noon, hour))
		f.Ticket.Contact = contact
		b.close(t, f)
	}
	hold := b.rounds[0].holds[0]
	posted := b.release(t, billing.Undo(b.counters), b.rounds[0], hold, nil)
	require.Len(t, posted, 1)

	tampered := posted[0]
	tampered.Steps = nil
	_, err := hold.ReleaseAgain(tampered, nil, b.version.Terms)
	require.ErrorContains(t, err, "does not say what it corrects")
	_, err = hold.ReleaseAgain(posted[0], hold.Charges, b.version.Terms)
	require.ErrorContains(t, err, "is billed")
	other := hold
	other.Charges = nil
	_, err = other.ReleaseAgain(posted[0], nil, b.version.Terms)
	require.ErrorContains(t, err, "has no charge")
}
