package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A line and what undoes it were on one invoice, which was void: both are billed again, and come to nothing there as they did. So all that the new
// invoice comes to can be given back.
func TestAPairThatIsBilledAgainTakesNothingOffWhatCanBeGivenBack(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	k.reopen(id)
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	march := k.month("2026-03")
	require.Equal(t, "finalised 75.00", k.stands(march))
	k.void(march)
	april := k.month("2026-04")
	require.Equal(t, "finalised 75.00", k.stands(april))
	require.Equal(t, "CN-2026-00001 gives back 75.00 USD of INV-2026-00002; nothing is owed on it any more", k.credit(april, "75.00").Says)
	require.Equal(t, "credited 0.00", k.stands(april))
	require.Equal(t, "0.00", k.inCredit())
	k.proved()
}

// The reversal of a credited line, and the charge that says so, are billed again with their invoice: neither gives anything back once more.
func TestWhatACreditNoteGaveBackIsBilledAgain(t *testing.T) {
	k := newTill(t, hourly)
	id, march := k.billed(60)
	k.credit(march, "50.00")
	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 120))
	k.reopen(id) // 150.00 back, of which 50.00 had been given
	april := k.month("2026-04")
	require.Equal(t, "finalised 200.00", k.stands(april))
	k.void(april)
	may := k.month("2026-05")
	require.Equal(t, "finalised 200.00", k.stands(may))
	k.credit(may, "200.00")
	require.Equal(t, "credited 0.00", k.stands(may))
	k.proved()
}
