package billing

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/shopspring/decimal"
)

// Canonical gives the one JSON text of v that digests are taken of: fields in the order
// of their struct, decimals as strings without trailing zeros, instants in UTC with
// RFC 3339 and as many fractional digits as they need, no HTML escapes, no white space.
func Canonical(v any) ([]byte, error) { return AppendCanonical(make([]byte, 0, usualLength), v) }

// usualLength of a decision's or of a closure's facts' canonical JSON, in bytes.
const usualLength = 4 << 10

// AppendCanonical appends the canonical JSON of v to b. What a closing writes and an audit
// writes again, for every closure there is, goes by hand (canonical_write.go); anything else
// by encoding/json, which gives the same bytes.
func AppendCanonical(b []byte, v any) ([]byte, error) {
	w := encoder{b: b}
	switch v := v.(type) {
	case Facts:
		w.facts(&v)
	case Decision:
		w.decision(&v)
	case Hold:
		w.hold(&v)
	case Charge:
		w.charge(&v)
	default:
		by, err := canonicalJSON(v)
		return append(b, by...), err
	}
	if w.err != nil {
		return b, fmt.Errorf("write %T as canonical JSON: %w", v, w.err)
	}
	return w.b, nil
}

// canonicalJSON is canonical JSON by encoding/json and reflection.
func canonicalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(inUTC(v)); err != nil {
		return nil, fmt.Errorf("write %T as canonical JSON: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Digest is the SHA-256 of the decision's canonical JSON, in hexadecimal.
func (d Decision) Digest() string { return digest(d) }

// digest is the SHA-256 of v's canonical JSON. The types of this package always encode;
// one that does not is a mistake of the program.
func digest(v any) string {
	b, err := Canonical(v)
	if err != nil {
		panic(err)
	}
	return DigestOf(b)
}

// DigestOf is the digest of what Canonical has written.
func DigestOf(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	decimalType = reflect.TypeFor[decimal.Decimal]()
	termsType   = reflect.TypeFor[Terms]()
)

// inUTC gives v, or a copy of v whose instants are in UTC: the same instant read in
// another zone must not change a digest.
func inUTC(v any) any {
	if v == nil {
		return nil
	}
	from := reflect.ValueOf(v)
	if !holdsTime(from.Type()) {
		return v
	}
	to := reflect.New(from.Type()).Elem()
	to.Set(from)
	toUTC(to)
	return to.Interface()
}

func holdsTime(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		if t == timeType {
			return true
		}
		if t == decimalType || t == termsType {
			return false
		}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && holdsTime(f.Type) {
				return true
			}
		}
	case reflect.Slice, reflect.Pointer:
		return holdsTime(t.Elem())
	}
	return false
}

// toUTC changes v in place; what v refers to is copied first.
func toUTC(v reflect.Value) {
	if !holdsTime(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(at.UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				toUTC(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(to, v)
		for i := range to.Len() {
			toUTC(to.Index(i))
		}
		v.Set(to)
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		to := reflect.New(v.Type().Elem())
		to.Elem().Set(v.Elem())
		toUTC(to.Elem())
		v.Set(to)
	}
}
