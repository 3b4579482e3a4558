package billing

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

func (w *encoder) open()  { w.b = append(w.b, '{') }
func (w *encoder) close() { w.b = append(w.b, '}') }

// name begins a field. The types above are told by name: nothing in a name is escaped.
func (w *encoder) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *encoder) text(name, s string) {
	w.name(name)
	w.string(&s)
}

func (w *encoder) number(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *encoder) decimal(name string, d decimal.Decimal) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = AppendDecimal(w.b, d)
	w.b = append(w.b, '"')
}

func (w *encoder) instant(name string, t time.Time) {
	w.name(name)
	w.b = append(w.b, '"')
	b, err := t.UTC().AppendText(w.b)
	if err != nil {
		w.err = err
		return
	}
	w.b = append(b, '"')
}

// Fields that are left out where they are empty.

func (w *encoder) someText(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *encoder) someNumber(name string, n int64) {
	if n != 0 {
		w.number(name, n)
	}
}

func (w *encoder) someFlag(name string, is bool) {
	if is {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *encoder) someDecimal(name string, d *decimal.Decimal) {
	if d != nil {
		w.decimal(name, *d)
	}
}

func (w *encoder) someInstant(name string, t time.Time) {
	if !t.IsZero() {
		w.instant(name, t)
	}
}

func writeSome[T any](w *encoder, name string, items []T, one func(*encoder, *T)) {
	if len(items) > 0 {
		writeList(w, name, items, one)
	}
}

func writeList[T any](w *encoder, name string, items []T, one func(*encoder, *T)) {
	w.name(name)
	if items == nil {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range items {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		one(w, &items[i])
	}
	w.b = append(w.b, ']')
}

// string writes a text that needs no escapes as it is; the rare one that does is left to
// encoding/json.
func (w *encoder) string(s *string) {
	if !needsNoEscape(*s) {
		escaped, err := canonicalJSON(*s)
		if err != nil {
			w.err = err
		}
		w.b = append(w.b, escaped...)
		return
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, *s...)
	w.b = append(w.b, '"')
}

// plain says whether canonical JSON shows the text as it is: valid UTF-8 without quotes,
// backslashes, control characters and the line separators of JavaScript.
func needsNoEscape(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && size == 1) || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += size
	}
	return true
}

// mostDigits of a coefficient surely fit an int64.
const mostDigits = 18

// inDigits is what d.String() gives.
func inDigits(d decimal.Decimal) string {
	var room [48]byte
	return string(AppendDecimal(room[:0], d))
}

// AppendDecimal writes what d.String() gives, without its detours where the number is short.
func AppendDecimal(b []byte, d decimal.Decimal) []byte {
	exp := int(d.Exponent())
	if exp > 0 || exp < -mostDigits || d.NumDigits() > mostDigits {
		return append(b, d.String()...)
	}
	n := d.CoefficientInt64()
	for exp < 0 && n%10 == 0 {
		n /= 10
		exp++
	}
	if exp == 0 {
		return strconv.AppendInt(b, n, 10)
	}
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	start := len(b)
	b = strconv.AppendInt(b, n, 10)
	// At least one digit stands before the point, and all places after it.
	digits := len(b) - start
	for ; digits <= -exp; digits++ {
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start] = '0'
	}
	point := len(b) + exp
	b = append(b, 0)
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}
