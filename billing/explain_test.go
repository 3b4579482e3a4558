package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestExplain(t *testing.T) {
	explained := func(c billing.Charge) string { return strings.Join(billing.Explain(c), "\n") }

	t.Run("time", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, 70*minute)))
		require.Equal(t, `TM-1 T1 (revision 1), "Support", governs this work: it speaks of any work, and no clause in force was more specific.
1 h 10 min were measured; 1 h 15 min are billable in increments of 15 min. 10 min less, and one increment less would have been billed.
The rate card asks 150 an hour for people's work.
So 1 h 15 min at 150 are 187.50 EUR.`, explained(d.Charges[0]))
	})
	t.Run("block and overage", func(t *testing.T) {
		d := decide(t, withBlocks(t, ", overage: 140", []billing.Block{block(7, hour)}, work(1, noon, 49*minute)))
		require.Equal(t, `HB-1 B1 (revision 1), "Block hours", governs this work: it speaks of any work, and no clause in force was more specific.
49 min were measured; 1 h are billable in increments of 15 min. 4 min less, and one increment less would have been drawn.
1 h were drawn from block 7, which is empty now: any more would have been beyond it.
So 1 h is paid with block hours and costs 0.00 EUR.`, explained(d.Charges[0]))

		d = decide(t, withBlocks(t, ", overage: 140", []billing.Block{block(7, 71*minute)}, work(1, noon, hour)))
		require.Contains(t, explained(d.Charges[0]), "1 h were drawn from block 7; 11 min more, and the block would have been empty.")

		d = decide(t, withBlocks(t, ", overage: 140", nil, work(1, noon, hour)))
		require.Contains(t, explained(d.Charges[0]), "Time beyond the block costs 140 an hour by clause B1. With 1 h more of them left it would have cost nothing.\nSo 1 h at 140 is 140.00 EUR.")
	})
	t.Run("overage beside blocks with hours", func(t *testing.T) {
		at := func(days int, b billing.Block) billing.Block { // expired or bought so many days after the work
			if days < 0 {
				b.GrantedAt, b.ExpiresAt = noon.AddDate(0, -2, 0), noon.AddDate(0, 0, days)
			} else {
				b.GrantedAt = noon.AddDate(0, 0, days)
			}
			return b
		}
		blocks := []billing.Block{at(-9, block(5, hour)), at(-1, block(6, hour)), at(1, block(7, 10*hour)), at(2, block(8, hour))}
		said := explained(decide(t, withBlocks(t, ", overage: 140", blocks, work(1, noon, hour))).Charges[0])
		require.Contains(t, said, "Block 6 has 1 h, but had expired at 2026-03-09 12:00 UTC, before the work.\nBlock 7 has 10 h, but was bought at 2026-03-11 12:00 UTC, after the work.\n")
		require.NotContains(t, said, "Block 5")

		late := at(-1, block(6, hour))
		late.ExpiresAt = noon.Add(time.Hour)
		f := withBlocks(t, ", block: {grace_days: 0}", []billing.Block{late}, work(1, noon, hour))
		require.Contains(t, explained(decide(t, f).Charges[0]), "Block 6 has 1 h, but expired at 2026-03-10 13:00 UTC, and the work was logged after that.")
	})
	t.Run("AI", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", timeAndMaterials), aiWork(1, noon, 2*second)))
		require.Contains(t, explained(d.Charges[0]), `2 s were measured, and the same is billable.
The rate card asks 150 an hour for AI work.
The period's AI time at this rate goes from 0 s to 2 s; the amount is the difference of the two sums, each rounded.
0.0833333333333333 EUR exactly, 0.08 EUR rounded.
So 2 s at 150 are 0.08 EUR.`)
	})
	t.Run("included ticket", func(t *testing.T) {
		f := under(t, contract("PT-1", "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12, included: 3}]"), work(1, noon, minute))
		require.Contains(t, explained(decide(t, f).Charges[1]), "It is ticket 1 of the period; 3 are included, so it costs nothing. 2 more are free, then each costs 12.00 EUR.")
		f.Counters = []billing.Counter{{Key: "tickets/PT-1/U1/2026-03", Value: dec("3")}}
		require.Contains(t, explained(decide(t, f).Charges[1]), "It is ticket 4 of the period; 3 are included, each one more costs 12.00 EUR. One ticket fewer before it, and it would have been free.\nSo 1 ticket at 12 is 12.00 EUR.")
	})
	t.Run("spam, failed, marked", func(t *testing.T) {
		f := under(t, contract("TM-1", timeAndMaterials), work(1, noon, minute))
		f.Ticket.Code = "spam"
		require.Equal(t, "The ticket was closed as spam: its work bills nothing, not even a minimum.\nSo 1 min bills nothing and shows on no invoice.", explained(decide(t, f).Charges[0]))
		f.Ticket.Code, f.Work[0].Failed = "solved", true
		require.Contains(t, explained(decide(t, f).Charges[0]), "The attempt failed: it costs us, and bills nothing.")
		f.Work[0].Failed, f.Work[0].NoBill = false, true
		require.Contains(t, explained(decide(t, f).Charges[0]), "Whoever logged the time marked it as not billable.")
	})
	t.Run("threshold and ruling", func(t *testing.T) {
		hold := decide(t, under(t, contract("TM-1", threshold), work(1, noon, 2*hour))).Holds[0]
		charges, err := billing.Settle(hold, billing.Ruling{Action: billing.Approve, By: "P-1", Reason: "fine"})
		require.NoError(t, err)
		require.Contains(t, explained(charges[0]), "The client had to agree: the round came to 300.00 EUR, above the limit of 150.00 EUR. 150.00 EUR less, and nobody would have been asked.\nP-1 approved it for the client: fine.\nSo 2 h at 150 are 300.00 EUR.")
		charges, err = billing.Settle(hold, billing.Ruling{Action: billing.WriteOff, By: "D-1", Reason: "our fault"})
		require.NoError(t, err)
		require.Contains(t, explained(charges[0]), "D-1 wrote it off: our fault.\nSo we bear 2 h ourselves.")
	})
	t.Run("no rate, no contract, tie, reversal", func(t *testing.T) {
		require.Contains(t, explained(decide(t, under(t, contract("TM-1", "lines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, hour))).Holds[0].Charges[0]),
			"The rate card has no row for a person doing remote as \"engineer\".\nSo no amount could be found.")
		require.Contains(t, explained(decide(t, facts(nil, work(1, noon, hour))).Holds[0].Charges[0]), "No contract of the client was in force")
		tied := facts([]billing.Version{version(t, contract("C-A", allCare)), version(t, contract("C-B", allCare))}, work(1, noon, hour))
		require.Contains(t, explained(decide(t, tied).Holds[0].Charges[0]), "Two contracts claim the work equally")
		c := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, hour))).Charges[0]
		r, err := billing.Reverse(42, c, nil, nil)
		require.NoError(t, err)
		require.Equal(t, "It undoes L-42 of 150.00 EUR.\nSo the invoice moves by -150.00 EUR.", explained(r))
	})
}

func TestSay(t *testing.T) {
	say := func(f billing.Facts) string { return billing.Say(f, decide(t, f)) }
	require.Equal(t, "42 min of remote work covered by AYCE-1 A1", say(under(t, contract("AYCE-1", allCare), work(1, noon, 42*minute))))
	require.Equal(t, "45 min of remote work drawn from block hours, 18.3 h left",
		say(withBlocks(t, "", []billing.Block{block(7, 45*minute+18*hour+23*minute)}, work(1, noon, 42*minute))))
	require.Equal(t, "1 h of remote work drawn from block hours, 0.0 h left; 30 min of remote work beyond the block hours: 70.00 EUR",
		say(withBlocks(t, ", overage: 140", []billing.Block{block(7, hour)}, work(1, noon, 90*minute))))
	require.Equal(t, "1 min 40 s of ai-resolution and 30 min of remote work billed: 79.17 EUR",
		say(under(t, contract("TM-1", timeAndMaterials), aiWork(1, noon, 100*second), work(2, noon.Add(time.Hour), 30*minute))))
	require.Equal(t, "42 min of remote work covered by PT-1 U1; 12.00 EUR for the ticket", say(under(t, contract("PT-1", perTicket), work(1, noon, 42*minute))))
	require.Equal(t, "300.00 EUR waits for the client's sign-off", say(under(t, contract("TM-1", threshold), work(1, noon, 2*hour))))
	require.Equal(t, "an amount still to be found waits for a dispatcher (no-contract)", say(facts(nil, work(1, noon, hour))))
	f := under(t, contract("TM-1", timeAndMaterials), work(1, noon, 5*minute))
	f.Ticket.Code = "spam"
	require.Equal(t, "5 min of remote work not billable", say(f))
	f.Work = nil
	require.Equal(t, "nothing to bill", say(f))
}
