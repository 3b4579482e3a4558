package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const tenHours = `
rates: [{hourly: 150}]
lines: [{clause: K1, name: Ten hours, charge: bucket, bucket: {included: 10h, rollover: 4h}}]
`

// allowanceOf is a base block of March's allowance.
func allowanceOf(id, left int64) billing.Block {
	return billing.Block{
		ID: id, Contract: "BK-1", Priority: 2, GrantedAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
		LeftMS: left, GrantedMS: 10 * hour, Clause: "K1", Period: "2026-03-01",
	}
}

func TestBucketDrawsFromItsOwnPeriodAlone(t *testing.T) {
	f := under(t, contract("BK-1", tenHours), work(1, noon, 90*minute))
	wants := billing.Want(f)
	require.Equal(t, []billing.BucketWant{{Contract: "BK-1", Clause: "K1", Period: billing.Period{Start: "2026-03-01", End: "2026-04-01"}}}, wants.Buckets)
	require.Empty(t, wants.Blocks, "bought blocks are not what a bucket draws from")

	bought, other, february := allowanceOf(3, 10*hour), allowanceOf(4, 10*hour), allowanceOf(5, 10*hour)
	bought.Clause, bought.Period = "", ""
	other.Clause = "K2"
	february.Period, february.ExpiresAt = "2026-02-01", february.GrantedAt
	f.Blocks = []billing.Block{bought, other, february, allowanceOf(7, hour)}
	d := decide(t, f)
	require.Equal(t, "bucket K1 1 h × 0 = 0 [block 7: 60 min]\noverage K1 0.5 h × 150 = 75", posts(d))
	require.Equal(t, "Ten hours · T-1 · remote — 1 h from the allowance of 2026-03", d.Charges[0].Text)
	require.Equal(t, "Ten hours · T-1 · remote — 30 min beyond the allowance of 2026-03", d.Charges[1].Text)
	require.Equal(t, "1 h of remote work from the allowance (BK-1 K1), 0.0 h left; 30 min of remote work beyond the allowance: 75.00 EUR", billing.Say(f, d))

	t.Run("a block line draws from bought blocks alone", func(t *testing.T) {
		require.Equal(t, "overage B1 1 h × 150 = 150", posts(decide(t, withBlocks(t, "", []billing.Block{func() billing.Block {
			b := block(7, hour)
			b.Clause, b.Period = "K1", "2026-03-01"
			return b
		}()}, work(1, noon, hour)))))
	})
}

func TestBucketOverage(t *testing.T) {
	for name, c := range map[string]struct{ overage, posts, holds string }{
		"the rate card by default": {"", "overage K1 1 h × 150 = 150", ""},
		"the line's own price":     {`overage: "120.00", `, "overage K1 1 h × 120 = 120", ""},
		"hold":                     {"overage: hold, ", "", "exception block-empty K1: overage K1 1 h × 150 = 150"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, under(t, contract("BK-1", strings.Replace(tenHours, "bucket: {", c.overage+"bucket: {", 1)), work(1, noon, hour)))
			require.Equal(t, c.posts, posts(d))
			require.Equal(t, c.holds, holds(d))
			if c.holds != "" {
				require.Equal(t, "The allowance of 2026-03 (BK-1 K1) is used up: 1 h beyond it, 150.00 EUR if it is billed.", d.Holds[0].Says)
			}
		})
	}
}

func TestBucketAcrossAPeriodsEdge(t *testing.T) {
	f := under(t, contract("BK-1", tenHours), segmented(work(1, time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC), 2*hour), []int64{hour}, "2026-03-31", "2026-04-01"))
	f.Ticket.ResolvedAt, f.Ticket.ResolvedOn = time.Date(2026, 4, 1, 2, 0, 0, 0, time.UTC), "2026-04-01"
	april := allowanceOf(8, 10*hour)
	april.Period, april.GrantedAt, april.ExpiresAt = "2026-04-01", april.ExpiresAt, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	f.Blocks = []billing.Block{allowanceOf(7, 10*hour), april}
	require.Len(t, billing.Want(f).Buckets, 2)
	require.Equal(t, "bucket K1 1 h × 0 = 0 [block 7: 60 min]\nbucket K1 1 h × 0 = 0 [block 8: 60 min]", posts(decide(t, f)), "each hour from the period that it was done in")
}

func TestBucketWeighsPremiumMinutes(t *testing.T) {
	body := "bands: [{name: night, hours: [\"17:00-24:00\"], days: [weekdays], multiplier: 2}]\npremium: {on: minutes}" + tenHours
	w := work(1, noon, hour)
	w.Segments[0].Bands = []string{"BK-1/night"}
	f := under(t, contract("BK-1", body), w)
	f.Blocks = []billing.Block{allowanceOf(7, 10*hour)}
	require.Equal(t, "bucket K1 2 h × 0 = 0 [block 7: 120 min]", posts(decide(t, f)))
}

func TestEdge33WorkLoggedAfterItsPeriodEnded(t *testing.T) {
	// March's 10 h: 5 h used, 4 h rolled over into block 9, of which 3 h are left, and 1 h was forfeited.
	ended, rolled := allowanceOf(7, 0), allowanceOf(9, 3*hour)
	ended.ForfeitedMS, ended.RolledMS, ended.RolledInto = hour, 4*hour, 9
	rolled.Period, rolled.RolledFrom, rolled.GrantedMS, rolled.Priority = "2026-04-01", 7, 4*hour, 3
	late := func(ms int64) billing.Facts {
		f := under(t, contract("BK-1", tenHours), work(1, noon, ms))
		f.Ticket.ResolvedAt, f.Ticket.ResolvedOn = time.Date(2026, 4, 2, 9, 0, 0, 0, time.UTC), "2026-04-02"
		f.Blocks = []billing.Block{ended, rolled}
		return f
	}
	for name, c := range map[string]struct {
		ms                int64
		posts             string
		restores, unrolls int64
	}{
		"first what was forfeited":    {45 * minute, "bucket K1 0.75 h × 0 = 0 [block 7: 45 min]", 45 * minute, 0},
		"then what rolled over":       {2 * hour, "bucket K1 2 h × 0 = 0 [block 7: 120 min]", hour, hour},
		"as far as it is still there": {5 * hour, "bucket K1 4 h × 0 = 0 [block 7: 240 min]\noverage K1 1 h × 150 = 150", hour, 3 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, late(c.ms))
			require.Equal(t, c.posts, posts(d))
			require.Equal(t, c.restores, d.Charges[0].Draws[0].Restores)
			require.Equal(t, c.unrolls, d.Charges[0].Draws[0].Unrolls)
		})
	}
	require.Contains(t, explainedLines(decide(t, late(2*hour)).Charges[0]),
		"Block 7 had ended when this was logged: 1 h had been forfeited, and came back; 1 h had rolled over, and came back from block 9.")

	t.Run("what rolled over was forfeited in its turn", func(t *testing.T) {
		f := late(3 * hour)
		f.Blocks[1].LeftMS, f.Blocks[1].ForfeitedMS = 0, 3*hour
		require.Equal(t, "bucket K1 3 h × 0 = 0 [block 7: 180 min]", posts(decide(t, f)))
	})
}

func TestEdge33DaysOfGraceForBoughtBlocks(t *testing.T) {
	b := block(7, 0)
	b.ExpiresAt, b.ForfeitedMS = noon.Add(2*time.Hour), 5*hour // resolved 4 h after it expired
	for name, c := range map[string]struct{ terms, posts string }{
		"however late":          {"", "block B1 1 h × 0 = 0 [block 7: 60 min]"},
		"within the days":       {", block: {grace_days: 1}", "block B1 1 h × 0 = 0 [block 7: 60 min]"},
		"none, and it was late": {", block: {grace_days: 0}", "overage B1 1 h × 150 = 150"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.posts, posts(decide(t, withBlocks(t, c.terms, []billing.Block{b}, work(1, noon, hour)))))
		})
	}
}

func TestExplainAllowance(t *testing.T) {
	f := under(t, contract("BK-1", tenHours), work(1, noon, 90*minute))
	rolled := allowanceOf(9, 30*minute)
	rolled.Priority, rolled.RolledFrom, rolled.GrantedMS = 1, 6, hour
	f.Blocks = []billing.Block{rolled, allowanceOf(7, 71*minute)}
	require.Equal(t, `BK-1 K1 (revision 1), "Ten hours", governs this work: it speaks of any work, and no clause in force was more specific.
1 h 30 min were measured, and the same is billable.
30 min were drawn from what rolled over into 2026-03 (from block 6): 1 h of its 1 h are used, and it is empty now: any more would have been beyond it.
1 h were drawn from the allowance of 2026-03: 9 h 49 min of its 10 h are used; 11 min more, and it would have been empty.
So 1 h 30 min are paid with the period's allowance and cost 0.00 EUR.`, explainedLines(decide(t, f).Charges[0]))

	f.Blocks = nil
	body := strings.Replace(tenHours, "bucket: {", `overage: "120", bucket: {`, 1)
	require.Contains(t, explainedLines(decide(t, under(t, contract("BK-1", body), work(1, noon, hour))).Charges[0]),
		"Time beyond the allowance of 2026-03 costs 120 an hour by clause K1.")
}

func explainedLines(c billing.Charge) string { return strings.Join(billing.Explain(c), "\n") }

func TestAllowOfAPeriod(t *testing.T) {
	bucket := func(more string) string {
		return "lines: [{clause: K1, name: Hours, charge: bucket, bucket: {" + more + "}}]"
	}
	at := func(from, to string, revision int, body string) billing.Version {
		doc := strings.Replace(contract("BK-1", body), "effective_from: 2026-01-01", "effective_from: "+from, 1)
		if to != "" {
			doc += "\neffective_to: " + to
		}
		v := version(t, doc)
		v.Revision = revision
		return v
	}
	march := billing.Period{Start: "2026-03-01", End: "2026-04-01"}
	for name, c := range map[string]struct {
		versions []billing.Version
		want     int64
	}{
		"whole":                                {[]billing.Version{at("2026-01-01", "", 1, bucket("included: 31h"))}, 31 * hour},
		"begins within it, whole all the same": {[]billing.Version{at("2026-03-11", "", 1, bucket("included: 31h"))}, 31 * hour},
		"begins within it, by days":            {[]billing.Version{at("2026-03-11", "", 1, bucket("included: 31h, prorate: true"))}, 21 * hour},
		"ends within it, by days":              {[]billing.Version{at("2026-01-01", "2026-03-11", 1, bucket("included: 31h, prorate: true"))}, 10 * hour},
		"is over":                              {[]billing.Version{at("2026-01-01", "2026-03-01", 1, bucket("included: 31h"))}, 0},
		"more hours from the 22nd":             {[]billing.Version{at("2026-01-01", "", 1, bucket("included: 31h")), at("2026-03-22", "", 2, bucket("included: 62h"))}, 41 * hour},
		"fewer hours take nothing away":        {[]billing.Version{at("2026-01-01", "", 1, bucket("included: 31h")), at("2026-03-22", "", 2, bucket("included: 10h"))}, 31 * hour},
		"a line that becomes a bucket":         {[]billing.Version{at("2026-01-01", "", 1, allCare), at("2026-03-11", "", 2, bucket("included: 31h, prorate: true"))}, 21 * hour},
		"paused all month":                     {[]billing.Version{at("2026-01-01", "", 1, "pauses: [{from: 2026-03-01, to: 2026-04-01}]\n"+bucket("included: 31h"))}, 0},
		"paused for ten days, by days":         {[]billing.Version{at("2026-01-01", "", 1, "pauses: [{from: 2026-03-11, to: 2026-03-21}]\n"+bucket("included: 31h, prorate: true"))}, 21 * hour},
		"paused for ten days, whole":           {[]billing.Version{at("2026-01-01", "", 1, "pauses: [{from: 2026-03-11, to: 2026-03-21}]\n"+bucket("included: 31h"))}, 31 * hour},
		"the later revision of a date counts":  {[]billing.Version{at("2026-01-01", "", 1, bucket("included: 31h")), at("2026-01-01", "", 2, bucket("included: 20h"))}, 20 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			a, ok := billing.Allow(c.versions, "K1", march)
			require.Equal(t, c.want > 0, ok)
			if ok {
				require.Equal(t, c.want, a.MS)
				require.Equal(t, "bucket/BK-1/K1/2026-03-01", a.Key())
			}
		})
	}
	t.Run("its instants are those of the contract's zone", func(t *testing.T) {
		doc := strings.Replace(contract("BK-1", bucket("included: 1h")), "time_zone: UTC", "time_zone: America/New_York", 1)
		a, ok := billing.Allow([]billing.Version{version(t, doc)}, "K1", march)
		require.True(t, ok)
		require.Equal(t, "2026-03-01T05:00:00Z", a.From.Format(time.RFC3339))
		require.Equal(t, "2026-04-01T04:00:00Z", a.Until.Format(time.RFC3339), "an hour less than 31 days: clocks go forward")
	})
	t.Run("what is used first", func(t *testing.T) {
		base, _ := billing.Allow([]billing.Version{at("2026-01-01", "", 1, bucket("included: 1h, rollover: 1h"))}, "K1", march)
		require.Less(t, base.Base, base.Rolled)
		rolled, _ := billing.Allow([]billing.Version{at("2026-01-01", "", 1, bucket("included: 1h, rollover: 1h, first: rolled"))}, "K1", march)
		require.Less(t, rolled.Rolled, rolled.Base)
	})
	t.Run("quarters", func(t *testing.T) {
		v := []billing.Version{at("2026-01-01", "", 1, "billing: {period: quarterly}\n"+bucket("included: 30h"))}
		q := billing.PeriodOn(v, "2026-05-05")
		require.Equal(t, billing.Period{Start: "2026-04-01", End: "2026-07-01"}, q)
		require.Equal(t, billing.Period{Start: "2026-01-01", End: "2026-04-01"}, billing.PeriodBefore(v, q))
		require.Equal(t, billing.Period{Start: "2026-07-01", End: "2026-10-01"}, billing.PeriodAfter(v, q))
		a, ok := billing.Allow(v, "K1", q)
		require.True(t, ok)
		require.Equal(t, 30*hour, a.MS)
	})
}
