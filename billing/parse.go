package billing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// MaxDocument is the most bytes of a contract document: 1 MiB.
const MaxDocument = 1 << 20

// documentKind is what people are told that they are writing, and where a whole one is shown.
type documentKind struct{ name, schema, docs string }

var (
	contractDocument = documentKind{"contract", SchemaV1, "docs/contracts.md"}
	taxDocument      = documentKind{"tax profile", TaxSchemaV1, "docs/taxes.md"}
	costDocument     = documentKind{"cost document", CostSchemaV1, "docs/costs.md"}
)

// maxNodes bounds what a document may be made of; real contracts have a few hundred nodes.
const maxNodes = 100_000

// ParseContract reads a contract document, YAML or JSON. It is strict: unknown and
// repeated fields, aliases and a second document are refused. The error joins one
// Problem, with line and fix, for each thing that is wrong.
func ParseContract(data []byte) (*Contract, error) {
	ps := &problems{lines: map[string]int{}}
	root := read(ps, data, contractDocument)
	c := new(Contract)
	if root != nil {
		r := reader{problems: ps, kind: contractDocument}
		r.value("", root, reflect.ValueOf(c).Elem())
		// What could not be read is not there: its absence must not be reported as well.
		check(ps, c)
		reach(ps, c)
		ignored(ps, c)
	}
	if err := ps.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadContract reads a document as it was stored: the canonical JSON of one that
// ParseContract accepted once. What is only refused of new documents may be in it; a field
// that is not known is an error, because what it says would be ignored.
func ReadContract(stored []byte) (*Contract, error) {
	c := new(Contract)
	if err := readStored(stored, c); err != nil {
		return nil, fmt.Errorf("read a stored contract: %w", err)
	}
	return c, nil
}

func readStored(stored []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(stored))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// read gives the document's root node, nil where there is none.
func read(ps *problems, data []byte, kind documentKind) *yaml.Node {
	switch {
	case len(data) > MaxDocument:
		ps.add("document", "", fmt.Sprintf("is %d bytes long", len(data)), "a "+kind.name+" is at most 1 MiB; split it into several")
		return nil
	case bytes.IndexByte(data, 0) >= 0:
		ps.add("document", "", "contains a NUL byte", "save it as plain UTF-8 text")
		return nil
	}
	if json.Valid(data) {
		// JSON is YAML, but for tabs between its tokens; within JSON strings there are none.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		notYAML(ps, err, kind)
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		ps.lines["document"] = second.Line
		ps.add("document", "", "is followed by a second one", "keep one "+kind.name+" in one file")
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		ps.add("document", "", "is not a list of fields", "start with `schema: "+kind.schema+"`; "+kind.docs+" shows whole "+kind.name+"s")
		return nil
	}
	if of := schemaOf(doc.Content[0]); of != nil {
		for _, other := range []documentKind{contractDocument, taxDocument, costDocument} {
			if other != kind && of.Value == other.schema {
				// Each of its fields would be told to be none of this kind's.
				ps.lines["schema"] = of.Line
				ps.add("schema", of.Value, "is that of a "+other.name+", not of a "+kind.name, "check it as one: "+other.docs+" tells how")
				return nil
			}
		}
	}
	return doc.Content[0]
}

// schemaOf finds what the document says that it is; nil where it does not say.
func schemaOf(document *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(document.Content); i += 2 {
		if document.Content[i].Value == "schema" {
			return document.Content[i+1]
		}
	}
	return nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func notYAML(ps *problems, err error, kind documentKind) {
	if errors.Is(err, io.EOF) {
		ps.add("document", "", "is empty", "start with `schema: "+kind.schema+"`; "+kind.docs+" shows whole "+kind.name+"s")
		return
	}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		ps.lines["document"], _ = strconv.Atoi(m[1])
	}
	says := strings.TrimPrefix(err.Error(), "yaml: ")
	ps.add("document", "", "is neither YAML nor JSON ("+says+")", "check the indentation and the quotes around that line")
}

// reader copies nodes into the document, noting the line of every field.
type reader struct {
	*problems
	kind  documentKind
	nodes int
}

func (r *reader) value(field string, n *yaml.Node, to reflect.Value) {
	r.lines[field] = n.Line
	if r.nodes++; r.nodes > maxNodes {
		if r.nodes == maxNodes+1 {
			r.add(field, "", "is more than a "+r.kind.name+" can hold", "split it into several")
		}
		return
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.add(field, "", "uses an anchor or an alias", "write the value out where it is meant")
		return
	case n.Tag == "!!null":
		r.add(field, "", "has no value", "give it one, or leave the field out")
		return
	}
	if to.Type() == decimalType {
		r.decimal(field, n, to)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		p := reflect.New(to.Type().Elem())
		r.value(field, n, p.Elem())
		to.Set(p)
	case reflect.Struct:
		r.fields(field, n, to)
	case reflect.Map:
		r.byPriority(field, n, to)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			r.add(field, n.Value, "is not a list", "write it as [a, b] or one item a line, each after a dash")
			return
		}
		list := reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content))
		for i, item := range n.Content {
			r.value(field+"["+strconv.Itoa(i)+"]", item, list.Index(i))
		}
		to.Set(list)
	case reflect.Bool:
		is, err := strconv.ParseBool(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || err != nil {
			r.add(field, n.Value, "is neither true nor false", "write true or false, without quotes")
			return
		}
		to.SetBool(is)
	case reflect.Int:
		r.integer(field, n, to)
	default:
		r.text(field, n, to)
	}
}

// fields reads a mapping into a struct by its yaml names.
func (r *reader) fields(field string, n *yaml.Node, to reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.add(field, n.Value, "is not a group of fields", "write its fields below it, each on a line of its own, indented")
		return
	}
	names := fieldNames(to.Type())
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := join(field, key.Value)
		index, known := names[key.Value]
		if key.Kind != yaml.ScalarNode || !known || seen[key.Value] {
			if _, noted := r.lines[at]; !noted {
				r.lines[at] = key.Line
			}
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.add(join(field, "?"), "", "is not the name of a field", "write a name, like "+yamlName(to.Type().Field(0)))
		case !known:
			r.add(at, "", "is not a field of a "+r.kind.name, r.meant(key.Value, to.Type()))
		case seen[key.Value]:
			r.add(at, "", "is there twice", "keep one of them")
		default:
			seen[key.Value] = true
			r.value(at, n.Content[i+1], to.Field(index))
		}
	}
}

// byPriority reads the SLA's targets: a mapping from a ticket's priority.
func (r *reader) byPriority(field string, n *yaml.Node, to reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.add(field, n.Value, "is not a list of priorities", "write `1: {response: 15m, resolution: 4h}` below it, a line for each priority")
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := join(field, key.Value)
		priority, err := strconv.Atoi(key.Value)
		switch {
		case err != nil || key.Kind != yaml.ScalarNode:
			r.lines[at] = key.Line
			r.add(at, key.Value, "is not a priority", "use 1 (most urgent) to 5")
		case to.MapIndex(reflect.ValueOf(priority)).IsValid():
			r.add(at, "", "is there twice", "keep one of them")
		default:
			item := reflect.New(to.Type().Elem()).Elem()
			r.value(at, n.Content[i+1], item)
			to.SetMapIndex(reflect.ValueOf(priority), item)
		}
	}
}

// maxText is the most bytes of one text in a contract.
const maxText = 200

// unseen is what turns letters round or shows nothing: a clause's name stands on invoices. The joiners that scripts write
// with are none of it.
func unseen(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp) && c != '\u200c' && c != '\u200d'
}

// text takes numbers and dates too: `clause: 4.1` means the text 4.1.
func (r *reader) text(field string, n *yaml.Node, to reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.add(field, "", "is not a text", "write a single value")
	case n.Tag == "!!bool":
		r.add(field, n.Value, "is read as true or false", "put it in quotes")
	case len(n.Value) > maxText:
		r.add(field, n.Value, fmt.Sprintf("is %d bytes long", len(n.Value)), fmt.Sprintf("shorten it to %d bytes", maxText))
	case strings.ContainsFunc(n.Value, unseen):
		r.add(field, n.Value, "contains a control character", "write it as one line of plain text")
	case strings.TrimSpace(n.Value) != n.Value:
		r.add(field, n.Value, "begins or ends with a space", "remove the space")
	default:
		to.SetString(n.Value)
	}
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]{1,9}$`)

func (r *reader) integer(field string, n *yaml.Node, to reflect.Value) {
	if n.Kind != yaml.ScalarNode || !wholeNumber.MatchString(n.Value) {
		r.add(field, n.Value, "is not a whole number of at most 9 digits", "write it like 10")
		return
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		r.add(field, n.Value, "is not a whole number", "write it like 10")
		return
	}
	to.SetInt(i)
}

const amountFix = "write it like 150.00: at most 12 digits before the point and 9 after, no currency sign, no exponent"

var money9 = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,9})?$`)

func (r *reader) decimal(field string, n *yaml.Node, to reflect.Value) {
	if n.Kind != yaml.ScalarNode || !money9.MatchString(n.Value) {
		r.add(field, n.Value, "is not an amount", amountFix)
		return
	}
	d, err := decimal.NewFromString(n.Value)
	if err != nil {
		r.add(field, n.Value, "is not an amount", "write it like 150.00")
		return
	}
	to.Set(reflect.ValueOf(d))
}

func fieldNames(t reflect.Type) map[string]int {
	names := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		names[yamlName(t.Field(i))] = i
	}
	return names
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}
