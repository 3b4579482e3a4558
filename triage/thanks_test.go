package triage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/triage"
)

func TestEdge59ThanksAreToldFromTrouble(t *testing.T) {
	for _, thanks := range []string{
		"Thanks!", "Thank you so much, Tom.", "Great, works now. Have a nice day!\n\nKind regards,\nNina Weber\nNorthwind", "Perfect 👍 thx",
		"thank you\n\nOn Mon, 2 Mar 2026 at 10:00, Docket <desk@msp.example> wrote:\n> Is it still broken?", "Danke!", "All good now, many thanks",
		"Thanks again for your quick help", "That did the trick, cheers\n-- \nNina\nHead of the problem department",
	} {
		said := triage.Read(thanks)
		require.True(t, said.Thanks, "%q: %s", thanks, said.Why)
	}
	for words, why := range map[string]string{
		"Thanks, but it is still slow":                `by the word "but"`,
		"Thank you! Could you also look at my laptop": `by the word "also"`,
		"Thanks. When will the part arrive?":          "it asks",
		"It does it again":                            "it says something else than thanks",
		"ok":                                          "it says something else than thanks",
		"":                                            "without words of his own",
		"> thanks":                                    "without words of his own",
		"Thanks, the second floor printer jammed twice today after lunch": `beside thanks it says "second floor printer jammed …"`,
		"Not working. Thanks": `by the word "not"`,
	} {
		said := triage.Read(words)
		require.False(t, said.Thanks, words)
		require.Equal(t, why, said.Why, words)
	}
}
