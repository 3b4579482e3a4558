package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestAuditOfALivedDeskFindsNothing(t *testing.T) {
	l := live(t)
	calls := 0
	a, err := l.Audit(t.Context(), func(done, total int) {
		calls++
		assert.LessOrEqual(t, done, total)
	})
	require.NoError(t, err)
	assert.True(t, a.Clean(), "%+v", a)
	assert.Equal(t, int(l.count("select count(*) from closures")), a.Closures)
	assert.NotZero(t, calls)
}

func TestAuditFindsEachTampering(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		found     func(billing.Audit) []string
		says      string
	}{
		"a charge's amount": {
			"update charges set amount = amount + 1 where key like 'time/%' and id = (select min(id) from charges where kind = 'time')",
			func(a billing.Audit) []string { return a.Lines }, "amount is",
		},
		"a line's amount": {
			"update invoice_lines set amount = amount - 5 where charge_id = (select min(id) from charges where kind = 'time')",
			func(a billing.Audit) []string { return a.Lines }, "its line says",
		},
		"a line is gone": {
			"delete from invoice_lines where charge_id = (select min(id) from charges where kind = 'time')",
			func(a billing.Audit) []string { return a.Lines }, "has no invoice line",
		},
		"a charge is gone, with its work and line": {
			`with c as (select min(id) as id from charges where kind = 'time'), l as (delete from invoice_lines where charge_id = (select id from c)),
				w as (delete from charge_work where charge_id = (select id from c)) delete from charges where id = (select id from c)`,
			func(a billing.Audit) []string { return a.Lines }, "was decided and is not posted",
		},
		"a settled charge is gone": {
			`with c as (select min(id) as id from charges where hold_id is not null), l as (delete from invoice_lines where charge_id = (select id from c)),
				w as (delete from charge_work where charge_id = (select id from c)) delete from charges where id = (select id from c)`,
			func(a billing.Audit) []string { return a.Lines }, "and not posted",
		},
		"a settled charge says another amount, in every place": {
			`with c as (update charges set amount = 1, exact = 1, body = replace(replace(body, '"amount":"600"', '"amount":"1"'), '"exact":"600"', '"exact":"1"')
				where hold_id is not null returning id) update invoice_lines l set amount = 1 from c where l.charge_id = c.id`,
			func(a billing.Audit) []string { return a.Lines }, "settled again gives something else",
		},
		"a decision": {
			`update closures set decision = replace(decision, '"amount":"112.5"', '"amount":"12.5"') where decision like '%"amount":"112.5"%'`,
			func(a billing.Audit) []string { return a.Mismatched }, "digest was left",
		},
		"a decision's digest": {
			"update closures set digest = repeat('0', 64) where id = (select min(id) from closures)",
			func(a billing.Audit) []string { return a.Mismatched }, "decided again its digest",
		},
		"facts": {
			`update closures set facts = replace(facts, '"ms":2700000', '"ms":1700000') where facts like '%"ms":2700000%'`,
			func(a billing.Audit) []string { return a.Mismatched }, "decided again",
		},
		"what a hold quotes": {
			`update holds set hold = replace(hold, '"amount":"750"', '"amount":"75"') where state = 'open'`,
			func(a billing.Audit) []string { return a.Mismatched }, "is not the hold that was decided",
		},
		"a contract's terms": {
			`update contract_versions set document = replace(document, '"hourly":"150"', '"hourly":"15"')`,
			func(a billing.Audit) []string { return a.Mismatched }, "cannot be decided again",
		},
		"work of a closed ticket": {
			"update work_entries set ms = ms + 60000 where id = (select min(id) from work_entries)",
			func(a billing.Audit) []string { return a.Leaks }, "of which",
		},
		"charged work": {
			"delete from charge_work where work_id = (select min(id) from work_entries)",
			func(a billing.Audit) []string { return a.Leaks }, "0 are charged",
		},
		"a counter": {
			"update counters set value = value + 1", func(a billing.Audit) []string { return a.Caches }, "its moves come to",
		},
		"a closed ticket's stage": {
			"update tickets set stage = 'posted' where stage = 'held'", func(a billing.Audit) []string { return a.Leaks }, "still waits",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(t)
			l.tamper(c.statement)
			// Another process: what this one has compiled already must not hide a changed contract.
			a, err := l.open(l.url).Audit(t.Context(), nil)
			require.NoError(t, err)
			require.NotEmpty(t, c.found(a), "%+v", a)
			assert.Contains(t, c.found(a)[0], c.says)
		})
	}
}

func TestAuditFindsWrongBlocksAndInvoices(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(2)
	k.close(k.ticket("email"), 1, k.minutes("tom", 90))
	k.close(k.ticket("email"), 1, k.minutes("tom", 90))
	a, err := k.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, a.Clean(), "%+v", a)

	t.Run("a block's rest", func(t *testing.T) {
		k.tamper("update blocks set remaining_ms = remaining_ms + 1000")
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, a.Caches, 1)
		assert.Contains(t, a.Caches[0], "1000 ms remain, its moves leave 0")
		k.tamper("update blocks set remaining_ms = remaining_ms - 1000")
	})
	t.Run("what had left a block", func(t *testing.T) {
		k.tamper("update block_moves set gone_ms = gone_ms + 1000 where id = (select max(id) from block_moves)")
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, a.Caches, 1)
		assert.Regexp(t, `says that \d+ ms had left it before, the moves before it come to \d+`, a.Caches[0])
	})
	t.Run("a finalised total, and a gap in the numbers", func(t *testing.T) {
		k.tamper(`update invoices set state = 'finalised', number = 'INV-2026-00002', total = 1, line_count = 1, finalised_at = now()`)
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, a.Invoices, 3, "%+v", a.Invoices)
	})
}

// TestAuditOfOldRulesBesideNewOnes: a decision of the first rules keeps its bytes, which today's rules would not give.
func TestAuditOfOldRulesBesideNewOnes(t *testing.T) {
	k := newTill(t, hourly)
	var closures []ticket.ID
	for range 2 {
		id := k.ticket("email")
		k.close(id, 1, k.minutes("tom", 45), k.minutes("dora", 30)) // at the same time: later rules say so
		closures = append(closures, id)
	}
	k.proved()

	var stored, now string
	old := closures[0].Number()
	require.NoError(t, k.admin.QueryRow(t.Context(), "select facts, decision from closures where ticket = $1", old).Scan(&stored, &now))
	today := fmt.Sprintf(`"rules":%d`, billing.Rules)
	facts, err := billing.ParseFacts(strings.Replace(stored, today, `"rules":1`, 1))
	require.NoError(t, err)
	require.Equal(t, 1, facts.Rules)
	c, err := billing.ParseContract([]byte(hourly))
	require.NoError(t, err)
	facts.Contracts[0].Terms, err = c.Compile()
	require.NoError(t, err)
	decision, err := billing.Decide(facts)
	require.NoError(t, err)
	then, err := billing.Canonical(decision)
	require.NoError(t, err)
	require.NotEqual(t, now, strings.Replace(string(then), `"rules":1`, today, 1), "the rules differ in more than their number")

	written, err := billing.Canonical(facts)
	require.NoError(t, err)
	k.tamper("update closures set rules = 1, facts = $2, decision = $3, digest = $4 where ticket = $1", old, string(written), string(then), decision.Digest())
	k.proved()
	require.EqualValues(t, 1, k.count("select count(*) from closures where rules = $1", billing.Rules))
	k.requireSame(k.whatIf(march, hourly))
}
