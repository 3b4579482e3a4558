package billing_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// TestContractsDocument parses every contract of docs/contracts.md, whole or in part, and
// decides every example below it.
func TestContractsDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/contracts.md")
	require.NoError(t, err)
	var governing billing.Version
	contracts, parts, examples := 0, 0, 0
	for i, block := range strings.Split(string(doc), "```") {
		kind, text, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case kind == "yaml":
			governing = version(t, text)
			contracts++
		case kind == "yaml part":
			requirePart(t, text)
			parts++
		case kind == "example":
			t.Run(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "), func(t *testing.T) {
				example(t, governing, text)
			})
			examples++
		default:
			t.Errorf("a block of kind %q", kind)
		}
	}
	require.Equal(t, 4, contracts)
	require.Equal(t, 11, parts)
	require.Equal(t, 13, examples)
}

// requirePart requires that a part of a contract is one: that it stands in a whole document
// without a problem.
func requirePart(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(text, "lines:\n") {
		text += "lines: [{clause: A1, name: Support, charge: time}]\n"
	}
	_, err := billing.ParseContract([]byte(contract("C-1", text)))
	require.NoError(t, err, "%s", text)
}

// example decides one example: what is known of the ticket, its blocks and work, and
// after => what posts or waits.
func example(t *testing.T, v billing.Version, text string) {
	f := facts([]billing.Version{v})
	var want []string
	start := noon
	counted := "0"
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch words[0] {
		case "ticket":
			for _, word := range words[1:] {
				name, value, _ := strings.Cut(word, "=")
				switch name {
				case "category":
					f.Ticket.Category = value
				case "resolved":
					f.Ticket.ResolvedKind = value
				case "counted":
					counted = value
				default:
					t.Fatalf("an example cannot say %q", word)
				}
			}
		case "block":
			left, err := time.ParseDuration(words[1])
			require.NoError(t, err)
			f.Blocks = append(f.Blocks, billing.Block{ID: 1, Contract: v.Contract, GrantedAt: noon.Add(-time.Hour), LeftMS: left.Milliseconds()})
		case "work":
			length, err := time.ParseDuration(words[4])
			require.NoError(t, err)
			w := typed(work(int64(len(f.Work)+1), start, length.Milliseconds()), words[2])
			w.Kind, w.WorkRole = words[1], words[3]
			f.Work = append(f.Work, w)
			start = start.Add(length)
		case "=>":
			want = append(want, strings.Join(words[1:], " "))
		default:
			t.Fatalf("an example cannot say %q", line)
		}
	}
	for _, key := range billing.Want(f).Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: dec(counted)})
	}
	d := decide(t, f)
	var got []string
	for _, c := range d.Charges {
		got = append(got, strings.Join([]string{string(c.Kind), c.Clause, c.Quantity.String(), c.Unit, c.Amount.StringFixed(2), c.Currency}, " "))
	}
	for _, h := range d.Holds {
		got = append(got, strings.Join([]string{"waits", string(h.Reason), h.Clause, h.Amount.StringFixed(2), h.Currency}, " "))
	}
	require.Equal(t, want, got)
}
