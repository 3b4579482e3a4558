package billing

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPropertyCanonicalByHand: what is written by hand has the bytes that encoding/json gives, for
// values that no closure has: each field by itself and all together, so that a field which
// canonical_write.go does not know fails here.
func TestPropertyCanonicalByHand(t *testing.T) {
	for name, of := range map[string]func(*rapid.T) any{
		"facts":    func(t *rapid.T) any { return any1[Facts](t) },
		"decision": func(t *rapid.T) any { return any1[Decision](t) },
		"hold":     func(t *rapid.T) any { return any1[Hold](t) },
		"charge":   func(t *rapid.T) any { return any1[Charge](t) },
	} {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			v := of(t)
			want, wantErr := canonicalJSON(v)
			got, err := Canonical(v)
			require.Equal(t, wantErr == nil, err == nil, "%v, and by hand %v", wantErr, err)
			if err == nil {
				require.Equal(t, string(want), string(got))
			}
		}))
	}
}

// TestPropertyFactsReadByHand: facts as Canonical writes them are read by hand, and as encoding/json
// reads them.
func TestPropertyFactsReadByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored, err := Canonical(any1[Facts](t))
		if err != nil {
			t.Skip("an instant that no text can hold")
		}
		var want Facts
		require.NoError(t, json.Unmarshal(stored, &want))
		r, got := decoder{s: string(stored)}, Facts{}
		r.facts(&got)
		escaped := strings.Contains(string(stored), `\`)
		require.Equal(t, !escaped, r.whole(), "given up at %d of %s", r.at, stored)
		if got, err = ParseFacts(string(stored)); err != nil {
			t.Fatal(err)
		}
		require.Equal(t, want, got)
	})
}

// TestEveryFieldIsWrittenAndReadByHand sets one field after the other.
func TestEveryFieldIsWrittenAndReadByHand(t *testing.T) {
	require.Greater(t, eachField(t, func(f Facts) {
		want, err := canonicalJSON(f)
		require.NoError(t, err)
		got, err := Canonical(f)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		var read, by Facts
		require.NoError(t, json.Unmarshal(want, &read))
		r := decoder{s: string(want)}
		r.facts(&by)
		require.True(t, r.whole(), "given up at %d of %s", r.at, want)
		require.Equal(t, read, by)
	}), 60)
	require.Greater(t, eachField(t, func(d Decision) {
		want, err := canonicalJSON(d)
		require.NoError(t, err)
		got, err := Canonical(d)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}), 60)
}

// eachField calls check with values of which one leaf is set, in lists of one item; it gives how many.
func eachField[T any](t *testing.T, check func(T)) int {
	t.Helper()
	n := 0
	for {
		var v T
		at := 0
		setLeaf(t, reflect.ValueOf(&v).Elem(), n, &at)
		if at <= n {
			return n
		}
		check(v)
		n++
	}
}

// setLeaf sets leaf number n below v.
func setLeaf(t *testing.T, v reflect.Value, n int, at *int) {
	t.Helper()
	set := func(x any) {
		if *at == n {
			v.Set(reflect.ValueOf(x).Convert(v.Type()))
		}
		*at++
	}
	switch v.Type() {
	case timeType:
		set(time.Date(2026, 3, 10, 12, 0, 0, 500, time.FixedZone("", 3600)))
		return
	case decimalType:
		set(decimal.New(-1250, -3))
		return
	case reflect.TypeFor[*Terms]():
		return
	}
	switch v.Kind() {
	case reflect.String:
		set("R&D <é>")
	case reflect.Int, reflect.Int64:
		set(-7)
	case reflect.Bool:
		set(true)
	case reflect.Struct:
		for i := range v.NumField() {
			setLeaf(t, v.Field(i), n, at)
		}
	case reflect.Pointer, reflect.Slice:
		inner := reflect.New(v.Type().Elem())
		before := *at
		setLeaf(t, inner.Elem(), n, at)
		if before <= n && n < *at {
			if v.Kind() == reflect.Pointer {
				v.Set(inner)
			} else {
				v.Set(reflect.Append(v, inner.Elem()))
			}
		}
	default:
		t.Fatalf("no value is known for %s: add one here, and to canonical_write.go", v.Type())
	}
}

// any1 draws a value of T by reflection, with all that JSON can trip over.
func any1[T any](t *rapid.T) T {
	var v T
	draw(t, reflect.ValueOf(&v).Elem())
	return v
}

var texts = rapid.OneOf(
	rapid.SampledFrom([]string{"", "email", "R&D <é> — 'x'", "a\"b", `a\b`, "tab\tnew\nline", "\x00\x1f\x7f", "\u2028\u2029", "bad \xff\xc3 utf", "\ufffd", "😀"}),
	rapid.String(),
)

func draw(t *rapid.T, v reflect.Value) {
	switch v.Type() {
	case timeType:
		v.Set(reflect.ValueOf(drawTime(t)))
		return
	case decimalType:
		v.Set(reflect.ValueOf(drawDecimal(t)))
		return
	case reflect.TypeFor[*Terms]():
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts.Draw(t, "text"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.Int64Range(-9, 9), rapid.Int64Range(-999_999_999_999_999_999, 999_999_999_999_999_999)).Draw(t, "n"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "is"))
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 2).Draw(t, "items"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				draw(t, v.Index(i))
			}
		}
	default:
		t.Fatalf("no value is known for %s: add one here, and to canonical_write.go", v.Type())
	}
}

func drawTime(t *rapid.T) time.Time {
	if rapid.IntRange(0, 3).Draw(t, "no time") == 0 {
		return time.Time{}
	}
	zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "offset"))
	at := time.Unix(rapid.Int64Range(-1<<36, 1<<36).Draw(t, "s"), rapid.SampledFrom([]int64{0, 5e8, 1_000_000, 1, 999_999_999}).Draw(t, "ns"))
	if rapid.IntRange(0, 500).Draw(t, "far") == 0 {
		at = at.AddDate(9_000, 0, 0) // beyond RFC 3339
	}
	return at.In(zone)
}

func drawDecimal(t *rapid.T) decimal.Decimal {
	exp := rapid.Int32Range(-30, 6).Draw(t, "exponent")
	n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.SampledFrom([]int64{0, 10, 100, 1e17, 1e18, -1e18})).Draw(t, "coefficient")
	d := decimal.New(n, exp)
	if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
		d = d.Mul(decimal.New(n, 0)).Mul(decimal.New(7, 0))
	}
	return d
}

// TestStoredDecisionsByHand: every decision and all facts of the stored ones, by hand and by
// encoding/json.
func TestStoredDecisionsByHand(t *testing.T) {
	files, err := filepath.Glob("testdata/decisions-rules-*.jsonl.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		unzipped, err := gzip.NewReader(f)
		require.NoError(t, err)
		lines := bufio.NewScanner(unzipped)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var s struct {
				Facts     json.RawMessage
				Documents map[string]string
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
			var want Facts
			require.NoError(t, json.Unmarshal(s.Facts, &want))
			r, got := decoder{s: string(s.Facts)}, Facts{}
			r.facts(&got)
			require.True(t, r.whole(), "given up at %d of %s", r.at, s.Facts)
			require.Equal(t, want, got)
			for i := range got.Contracts {
				c, err := ReadContract([]byte(s.Documents[got.Contracts[i].Digest]))
				require.NoError(t, err)
				got.Contracts[i].Terms, err = c.Compile()
				require.NoError(t, err)
			}
			again, err := Canonical(got)
			require.NoError(t, err)
			require.Equal(t, string(s.Facts), string(again))
			d, err := Decide(got)
			require.NoError(t, err)
			byHand, err := Canonical(d)
			require.NoError(t, err)
			byJSON, err := canonicalJSON(d)
			require.NoError(t, err)
			require.True(t, bytes.Equal(byJSON, byHand), "%s", byHand)
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
}

// FuzzParseFacts: whatever the text, it is read as encoding/json reads it.
func FuzzParseFacts(f *testing.F) {
	for n := range 3 {
		facts := rapid.Custom(any1[Facts]).Example(n)
		if stored, err := Canonical(facts); err == nil {
			f.Add(string(stored))
		}
	}
	f.Add(`{"rules":1,"ticket":{"id":"T-1","round":1,"client":"c","category":"x","priority":3,"opened_at":"2026-03-10T12:00:00.5Z",` +
		`"resolved_at":"2026-03-10T12:00:00Z","resolved_on":"2026-03-10","resolved_by":"a","resolved_kind":"human","code":"solved","approved":"1e3"},` +
		`"work":[{"id":-1,"actor":"a","kind":"ai","work_type":"r","work_role":"e","started_at":"2026-03-10T12:00:00Z","ms":0,"segments":[]}],"contracts":null}`)
	f.Fuzz(func(t *testing.T, stored string) {
		var want Facts
		wantErr := json.Unmarshal([]byte(stored), &want)
		got, err := ParseFacts(stored)
		if wantErr != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
