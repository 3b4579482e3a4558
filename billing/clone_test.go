package billing_test

import (
	"reflect"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// TestWrittenContractsSayEverything holds the contracts of testdata to what other tests
// take for granted: every field of the document has a value in one of them.
func TestWrittenContractsSayEverything(t *testing.T) {
	unset := map[string]bool{}
	set := map[string]bool{}
	for _, document := range written(t) {
		c, err := billing.ParseContract([]byte(document))
		require.NoError(t, err)
		eachField(reflect.ValueOf(*c), func(name string, v reflect.Value) {
			if v.IsZero() {
				unset[name] = true
				return
			}
			set[name] = true
		})
	}
	for name := range unset {
		require.Contains(t, set, name)
	}
	require.Greater(t, len(set), 190)
}

// eachField visits the fields of a struct and of all that it refers to, as Type.Field.
func eachField(v reflect.Value, visit func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachField(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachField(v.Index(i), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			eachField(v.MapIndex(key), visit)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[decimal.Decimal]() {
			return
		}
		for i := range v.NumField() {
			visit(v.Type().Name()+"."+v.Type().Field(i).Name, v.Field(i))
			eachField(v.Field(i), visit)
		}
	}
}

func TestTermsStayWhateverHappensToTheDocument(t *testing.T) {
	for name, document := range written(t) {
		t.Run(name, func(t *testing.T) {
			c, err := billing.ParseContract([]byte(document))
			require.NoError(t, err)
			compiled, err := c.Compile()
			require.NoError(t, err)
			before, err := billing.Canonical(compiled.Contract())
			require.NoError(t, err)

			deface(reflect.ValueOf(c).Elem())
			after, err := billing.Canonical(compiled.Contract())
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			defaced, err := billing.Canonical(c)
			require.NoError(t, err)
			require.NotEqual(t, string(before), string(defaced))
		})
	}
}

// deface changes everything that v holds and refers to, in place.
func deface(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Pointer:
		if !v.IsNil() {
			deface(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			deface(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
		}
	case reflect.Struct:
		if d, is := v.Interface().(decimal.Decimal); is {
			v.Set(reflect.ValueOf(d.Add(decimal.NewFromInt(1))))
			return
		}
		for i := range v.NumField() {
			deface(v.Field(i))
		}
	}
}
