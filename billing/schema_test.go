package billing_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// schema is what the tests read of a JSON Schema.
type schema struct {
	Ref                  string            `json:"$ref"`
	Type                 any               `json:"type"` // a name, or several
	Const                any               `json:"const"`
	Enum                 []string          `json:"enum"`
	Pattern              string            `json:"pattern"`
	Minimum              *float64          `json:"minimum"`
	ExclusiveMinimum     *float64          `json:"exclusiveMinimum"`
	Maximum              *float64          `json:"maximum"`
	MinItems             int               `json:"minItems"`
	MaxItems             int               `json:"maxItems"`
	Properties           map[string]schema `json:"properties"`
	PatternProperties    map[string]schema `json:"patternProperties"`
	AdditionalProperties *bool             `json:"additionalProperties"`
	Required             []string          `json:"required"`
	AnyOf                []schema          `json:"anyOf"`
	Items                *schema           `json:"items"`
	Defs                 map[string]schema `json:"$defs"`
}

// published are the schemas of docs, each beside what it is the schema of.
var published = map[string]struct {
	document reflect.Type
	parse    func([]byte) (any, error)
	leaves   int // at least so many fields are tried
}{
	"contract": {reflect.TypeFor[billing.Contract](), func(b []byte) (any, error) { return billing.ParseContract(b) }, 150},
	"tax":      {reflect.TypeFor[billing.TaxProfile](), func(b []byte) (any, error) { return billing.ParseTaxProfile(b) }, 18},
	"cost":     {reflect.TypeFor[billing.CostRates](), func(b []byte) (any, error) { return billing.ParseCostRates(b) }, 11},
}

func readSchema(t *testing.T, name string) *schema {
	t.Helper()
	data, err := os.ReadFile("../docs/" + name + ".schema.json")
	require.NoError(t, err)
	root := new(schema)
	require.NoError(t, json.Unmarshal(data, root))
	return root
}

// resolve gives the definition that a schema refers to.
func (root *schema) resolve(s schema) schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name]
	}
	return s
}

// TestSchemas requires that each published schema knows exactly the fields of its document.
func TestSchemas(t *testing.T) {
	for name, p := range published {
		t.Run(name, func(t *testing.T) {
			root := readSchema(t, name)
			sameFields(t, root, *root, p.document, name)
		})
	}
}

func sameFields(t *testing.T, root *schema, s schema, of reflect.Type, at string) {
	t.Helper()
	s = root.resolve(s)
	switch of.Kind() {
	case reflect.Pointer:
		sameFields(t, root, s, of.Elem(), at)
	case reflect.Slice:
		require.Equal(t, "array", s.Type, at)
		require.NotNil(t, s.Items, at)
		sameFields(t, root, *s.Items, of.Elem(), at+"[]")
	case reflect.Map:
		require.Equal(t, "object", s.Type, at)
		for _, item := range s.PatternProperties {
			sameFields(t, root, item, of.Elem(), at+".*")
		}
	case reflect.Int:
		require.Equal(t, "integer", s.Type, at)
	case reflect.Bool:
		require.Equal(t, "boolean", s.Type, at)
	case reflect.Struct:
		if of == reflect.TypeOf(dec("1")) {
			require.Equal(t, []any{"string", "number"}, s.Type, at)
			return
		}
		require.Equal(t, "object", s.Type, at)
		require.NotNil(t, s.AdditionalProperties, "%s: unknown fields are refused", at)
		require.False(t, *s.AdditionalProperties, at)
		var names []string
		for i := range of.NumField() {
			f := of.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			require.True(t, strings.HasPrefix(f.Tag.Get("yaml")+",", name+","), "%s has another name in YAML", name)
			names = append(names, name)
			require.Contains(t, s.Properties, name, at)
			require.Equal(t, options == "", slices.Contains(s.Required, name), "%s.%s is required or not", at, name)
			sameFields(t, root, s.Properties[name], f.Type, at+"."+name)
		}
		require.Len(t, s.Properties, len(names), "%s: %v", at, names)
	}
}

// TestSchemasAgreeWithTheParsers tries every leaf of each schema: the parser knows the
// same values, refuses what is beyond the same bounds, and takes what is at them.
func TestSchemasAgreeWithTheParsers(t *testing.T) {
	for name, p := range published {
		t.Run(name, func(t *testing.T) {
			root := readSchema(t, name)
			leaves := 0
			eachLeaf(root, *root, nil, func(path []string, s schema) {
				leaves++
				agrees(t, path, s, p.parse)
			})
			require.GreaterOrEqual(t, leaves, p.leaves)
		})
	}
}

func agrees(t *testing.T, path []string, s schema, parse func([]byte) (any, error)) {
	t.Helper()
	field := strings.ReplaceAll(strings.Join(path, "."), ".[0]", "[0]")
	said := func(value any) string {
		document, err := json.Marshal(only(path, value))
		require.NoError(t, err)
		_, err = parse(document)
		for _, p := range billing.Problems(err) {
			if p.Field == field {
				return p.Problem + ": " + p.Fix
			}
		}
		return ""
	}
	takes := func(value any) bool {
		// What a field means beside others is not the schema's to say.
		problem := said(value)
		return problem == "" || strings.HasPrefix(problem, "means nothing")
	}
	if len(s.Enum) > 0 {
		require.Equal(t, "is not known: use "+strings.Join(s.Enum, ", "), said("nonsense"), field)
	}
	if s.Pattern != "" {
		require.False(t, regexp.MustCompile(s.Pattern).MatchString("?! /"), field)
		require.NotEmpty(t, said("?! /"), field)
	}
	if s.Minimum != nil {
		require.NotEmpty(t, said(*s.Minimum-1), field)
		require.True(t, takes(*s.Minimum), field)
	}
	if s.ExclusiveMinimum != nil {
		require.NotEmpty(t, said(*s.ExclusiveMinimum), field)
	}
	if s.Maximum != nil {
		require.NotEmpty(t, said(json.Number(strconv.FormatFloat(*s.Maximum+1, 'f', -1, 64))), field)
		require.True(t, takes(json.Number(strconv.FormatFloat(*s.Maximum, 'f', -1, 64))), field)
	}
}

// eachLeaf visits every field that has no fields of its own, by its path; [0] is an item of
// a list.
func eachLeaf(root *schema, s schema, path []string, visit func([]string, schema)) {
	s = root.resolve(s)
	switch {
	case s.Items != nil:
		eachLeaf(root, *s.Items, append(slices.Clone(path), "[0]"), visit)
	case len(s.Properties) > 0:
		for name, p := range s.Properties {
			eachLeaf(root, p, append(slices.Clone(path), name), visit)
		}
	case len(s.PatternProperties) > 0:
		for _, p := range s.PatternProperties {
			eachLeaf(root, p, append(slices.Clone(path), "1"), visit)
		}
	default:
		visit(path, s)
	}
}

// only is a document with nothing but the value at the path, and the charge or code that makes a
// line or category look at it.
func only(path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if path[0] == "[0]" {
		return []any{only(path[1:], value)}
	}
	group := map[string]any{path[0]: only(path[1:], value)}
	switch path[0] {
	case "block", "bucket", "retainer", "usage":
		group["charge"] = path[0]
	case "count":
		group["charge"] = "per-device"
	case "price", "included":
		group["charge"] = "per-ticket"
	case "when", "prorate":
		group["charge"] = "flat"
	case "rates":
		group["code"] = "S"
	}
	return group
}

// TestDocumentsFitTheirSchemas reads whole documents by their schema, as an editor does.
func TestDocumentsFitTheirSchemas(t *testing.T) {
	documents := map[string]map[string]string{
		"contract": written(t),
		"tax":      {"taxes.md": string(wholeDocument(t, "taxes.md"))},
		"cost":     {"costs.md": string(wholeDocument(t, "costs.md"))},
	}
	for name, seeds := range map[string]string{"contract": "contracts/*.yaml", "tax": "taxes/*.yaml", "cost": "costs.yaml"} {
		files, err := filepath.Glob("../seed/" + seeds)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			documents[name][file] = string(data)
		}
	}
	for name, p := range published {
		root := readSchema(t, name)
		for file, document := range documents[name] {
			t.Run(file, func(t *testing.T) {
				parsed, err := p.parse([]byte(document))
				require.NoError(t, err)
				canonical, err := billing.Canonical(parsed)
				require.NoError(t, err)
				var v any
				require.NoError(t, json.Unmarshal(canonical, &v))
				require.Empty(t, root.misfits(*root, v, name))
			})
		}
	}
}

// misfits lists what of v the schema refuses.
func (root *schema) misfits(s schema, v any, at string) []string {
	s = root.resolve(s)
	var found []string
	no := func(format string, args ...any) { found = append(found, at+": "+fmt.Sprintf(format, args...)) }
	if s.Const != nil && s.Const != v {
		no("%v is not %v", v, s.Const)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			no("is no group of fields")
		}
		for _, name := range s.Required {
			if _, has := v[name]; !has {
				no("lacks %s", name)
			}
		}
		if len(s.AnyOf) > 0 && !slices.ContainsFunc(s.AnyOf, func(one schema) bool { _, has := v[one.Required[0]]; return has }) {
			no("has none of those of which it needs one")
		}
		for name, item := range v {
			p, known := s.Properties[name]
			for pattern, q := range s.PatternProperties {
				if regexp.MustCompile(pattern).MatchString(name) {
					p, known = q, true
				}
			}
			if !known {
				no("has the unknown field %s", name)
				continue
			}
			found = append(found, root.misfits(p, item, at+"."+name)...)
		}
	case []any:
		if s.Type != "array" || len(v) < s.MinItems || (s.MaxItems > 0 && len(v) > s.MaxItems) {
			no("is no such list")
			break
		}
		for i, item := range v {
			found = append(found, root.misfits(*s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
			no("%q is none of %v", v, s.Enum)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			no("%q does not match %s", v, s.Pattern)
		}
	case float64:
		if (s.Minimum != nil && v < *s.Minimum) || (s.Maximum != nil && v > *s.Maximum) {
			no("%v is out of bounds", v)
		}
	}
	return found
}

// written gives the contracts of testdata by name. Together they say everything that a
// contract can.
func written(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob("testdata/contracts/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	documents := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		documents[filepath.Base(name)] = string(data)
	}
	return documents
}
