package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestApplyContract(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()

	t.Run("the same document again changes nothing", func(t *testing.T) {
		again, err := k.ApplyContract(ctx, []byte(hourly), "olga", false)
		require.NoError(t, err)
		assert.False(t, again.Changed)
		assert.Equal(t, 1, again.Revision)
	})
	dearer := strings.NewReplacer(`"2026-01-01"`, `"2026-07-01"`, `"150.00"`, `"165.00"`).Replace(hourly)
	t.Run("another one is a new revision, and the first ends where it begins", func(t *testing.T) {
		applied, err := k.ApplyContract(ctx, []byte(dearer), "olga", false)
		require.NoError(t, err)
		assert.True(t, applied.Changed)
		assert.Equal(t, 2, applied.Revision)
		history, err := k.ContractHistory(ctx, "acme-hourly")
		require.NoError(t, err)
		require.Len(t, history, 2)
		assert.Equal(t, "2026-07-01", history[0].Until)
		assert.Empty(t, history[1].Until)
		first, err := k.ApplyContract(ctx, []byte(hourly), "olga", false)
		require.NoError(t, err)
		assert.False(t, first.Changed, "the first document still governs its own dates")
	})
	t.Run("a diff names the fields", func(t *testing.T) {
		changes, err := k.ContractDiff(ctx, "acme-hourly", 1, 2)
		require.NoError(t, err)
		assert.Equal(t, []billing.Change{
			{Field: "effective_from", Was: "2026-01-01", Is: "2026-07-01"},
			{Field: "rates[3.1].hourly", Was: "150", Is: "165"},
		}, changes)
	})
	t.Run("stored versions cannot change, not even by who owns them", func(t *testing.T) {
		_, err := k.admin.Exec(ctx, "update contract_versions set document = '{}'")
		require.ErrorContains(t, err, "append-only")
		_, err = k.admin.Exec(ctx, "truncate contract_versions")
		require.ErrorContains(t, err, "append-only")
	})
	t.Run("fifty at once are one revision", func(t *testing.T) {
		doc := strings.Replace(dearer, `"165.00"`, `"170.00"`, 1)
		results := make(chan postgres.Applied, 50)
		for range 50 {
			go func() {
				applied, err := k.ApplyContract(ctx, []byte(doc), "olga", false)
				assert.NoError(t, err)
				results <- applied
			}()
		}
		changed := 0
		for range 50 {
			if r := <-results; r.Changed {
				changed++
			}
		}
		assert.Equal(t, 1, changed)
		assert.EqualValues(t, 3, k.count("select count(*) from contract_versions"))
	})
}

func TestApplyContractRefusesAndStoresNothing(t *testing.T) {
	k := newTill(t, hourly)
	before := k.count("select count(*) from contracts") + k.count("select count(*) from contract_versions")

	t.Run("a malformed file, with every error and its line", func(t *testing.T) {
		doc := "schema: docket.contract/v1\ncontract: bad\nclient: acme\nname: Bad\neffective_from: soon\ncurrency: DOLLAR\ntime_zone: America/New_York\nlines:\n  - {clause: A, name: X, charge: magic}\n"
		_, err := k.ApplyContract(t.Context(), []byte(doc), "olga", false)
		problems := billing.Problems(err)
		require.Len(t, problems, 3, "%v", err)
		for i, want := range []struct {
			field string
			line  int
		}{{"effective_from", 5}, {"currency", 6}, {"lines[0].charge", 9}} {
			assert.Equal(t, want.field, problems[i].Field)
			assert.Equal(t, want.line, problems[i].Line)
			assert.NotEmpty(t, problems[i].Fix)
		}
	})
	t.Run("whom and what it names must exist, all told at once", func(t *testing.T) {
		doc := strings.NewReplacer("contract: acme-hourly", "contract: Acme_2", "approvers: [ann]", "approvers: [zoe, nobody]").Replace(hourly) +
			"sla: {calendar: moon, targets: {1: {response: 1h, resolution: 2h}}}\n"
		_, err := k.ApplyContract(t.Context(), []byte(doc), "olga", false)
		var fields []string
		for _, p := range ticket.Problems(err) {
			fields = append(fields, p.Field)
		}
		assert.Equal(t, []string{"contract", "sla.calendar", "approval.approvers[0]", "approval.approvers[1]"}, fields)
	})
	t.Run("an unknown client", func(t *testing.T) {
		_, err := k.ApplyContract(t.Context(), []byte(strings.Replace(hourly, "client: acme", "client: nobody", 1)), "olga", false)
		require.ErrorContains(t, err, `client "nobody" is not known`)
	})
	t.Run("another client's contract", func(t *testing.T) {
		doc := strings.Replace(strings.Replace(hourly, "client: acme", "client: zenith", 1), "[ann]", "[zoe]", 1)
		_, err := k.ApplyContract(t.Context(), []byte(doc), "olga", false)
		require.ErrorContains(t, err, "choose another contract id")
	})
	assert.Equal(t, before, k.count("select count(*) from contracts")+k.count("select count(*) from contract_versions"))
}

func TestEdge26BackdatedContractIsNeverSilent(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 45))
	owed := k.owed()
	doc := []byte(strings.NewReplacer(`"2026-01-01"`, `"2026-03-01"`, `"150.00"`, `"300.00"`).Replace(hourly))

	_, err := k.ApplyContract(t.Context(), doc, "olga", false)
	require.Len(t, ticket.Problems(err), 1, "%v", err)
	assert.Equal(t, "effective_from", ticket.Problems(err)[0].Field)
	assert.Contains(t, err.Error(), string(id))

	applied, err := k.ApplyContract(t.Context(), doc, "olga", true)
	require.NoError(t, err)
	assert.True(t, applied.Changed)
	assert.Equal(t, owed, k.owed(), "what is posted stays")
	k.proved()

	t.Run("a first contract that would have governed closed work, too", func(t *testing.T) {
		_, err := k.ApplyContract(t.Context(), []byte(blocks), "olga", false)
		require.ErrorContains(t, err, "lies before work that is rated already")
	})
	t.Run("a later date needs no word", func(t *testing.T) {
		_, err := k.ApplyContract(t.Context(), []byte(strings.Replace(blocks, `"2026-01-01"`, `"2026-04-01"`, 1)), "olga", false)
		require.NoError(t, err)
	})
}

func TestGrantBlock(t *testing.T) {
	k := newTill(t, blocks)
	g := postgres.BlockGrant{
		OperationKey: "grant-1", Contract: "acme-block", Hours: decimal.RequireFromString("7.5"), GrantedAt: noon, ExpiresAt: noon.AddDate(1, 0, 0),
		Price: decimal.NewFromInt(900), Currency: "USD",
	}
	first, err := k.GrantBlock(t.Context(), g)
	require.NoError(t, err)
	assert.Equal(t, 450*time.Minute.Milliseconds(), first.RemainingMS)
	again, err := k.GrantBlock(t.Context(), g)
	require.NoError(t, err)
	assert.Equal(t, first, again)

	other := g
	other.Hours = decimal.NewFromInt(8)
	_, err = k.GrantBlock(t.Context(), other)
	require.ErrorContains(t, err, "was used for another block")

	_, err = k.GrantBlock(t.Context(), postgres.BlockGrant{OperationKey: "x", Contract: "acme-block", Hours: decimal.NewFromInt(-1), ExpiresAt: noon, Currency: "?"})
	var fields []string
	for _, p := range ticket.Problems(err) {
		fields = append(fields, p.Field)
	}
	assert.Equal(t, []string{"hours", "granted_at", "currency"}, fields)
	blocks, err := k.Blocks(t.Context(), "")
	require.NoError(t, err)
	assert.Len(t, blocks, 1)
}
