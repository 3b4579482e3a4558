package document

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

func TestWordsStayInTheirCells(t *testing.T) {
	all, err := faces()
	require.NoError(t, err)
	const long = "Betreuung der Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft · März"
	for _, s := range []string{long, strings.Repeat("W", 200), strings.Repeat("日", 60)} {
		cut := fit(s, 10, small)
		require.Equal(t, strings.ReplaceAll(s, " ", ""), strings.ReplaceAll(cut, " ", ""), "nothing is lost")
		for word := range strings.SplitSeq(cut, " ") {
			var b sfnt.Buffer
			var wide fixed.Int26_6
			for _, r := range word {
				wide += all[small.Style].advance(&b, r)
			}
			require.LessOrEqual(t, float64(wide)/64/em*small.Size/72*25.4, 174.0*10/24, word)
		}
	}
	require.Equal(t, "Support · T-1042", fit("Support · T-1042", 10, small), "what fits stays")
}

func TestLettersThatThePaperLacksAreNamed(t *testing.T) {
	require.Empty(t, Unprintable("Łódź & Söhne, Αθήνα, Москва — 38 × 62,00 €"))
	require.Equal(t, "日本", Unprintable("日本 Ltd 日"))
}
