package billing

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a contract document: where it stands, the value, what
// is wrong with it and what to write instead.
type Problem struct {
	Line    int    `json:"line,omitempty"` // of the file, from 1; 0 where the document did not come from one
	Field   string `json:"field"`          // lines[2].price
	Value   string `json:"value,omitempty"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

func (p *Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		b.WriteString("line ")
		b.WriteString(strconv.Itoa(p.Line))
		b.WriteString(": ")
	}
	b.WriteString(p.Field)
	if p.Value != "" {
		fmt.Fprintf(&b, " %q", p.Value)
	}
	return b.String() + " " + p.Problem + ": " + p.Fix
}

// Problems lists every Problem within err, in the order in which they were found.
func Problems(err error) []*Problem {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		var all []*Problem
		for _, e := range many.Unwrap() {
			all = append(all, Problems(e)...)
		}
		return all
	}
	if one := new(Problem); errors.As(err, &one) {
		return []*Problem{one}
	}
	return nil
}

// problems collects what is wrong with one document.
type problems struct {
	lines map[string]int // field → line; nil without a file
	kind  documentKind
	found []*Problem
}

// documentKind is what a document that people write is called; empty: a contract.
type documentKind struct{ noun, schema, docs string }

func (k documentKind) name() string { return cmp.Or(k.noun, "a contract") }

// start says how such a document begins.
func (k documentKind) start() string {
	return "start with `schema: " + cmp.Or(k.schema, SchemaV1) + "`; " + cmp.Or(k.docs, "docs/contracts.md shows whole contracts")
}

func (ps *problems) add(field, value, problem, fix string) {
	const shown = 60
	value = strings.ToValidUTF8(value, "�")
	if len(value) > shown {
		value = strings.ToValidUTF8(value[:shown], "") + "…"
	}
	ps.found = append(ps.found, &Problem{Line: ps.line(field), Field: field, Value: value, Problem: problem, Fix: fix})
}

// line finds the field's line, or that of the nearest thing that contains it.
func (ps *problems) line(field string) int {
	for field != "" {
		if n, ok := ps.lines[field]; ok {
			return n
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return ps.lines[""]
}

func (ps *problems) err() error {
	errs := make([]error, len(ps.found))
	for i, p := range ps.found {
		errs[i] = p
	}
	return errors.Join(errs...)
}
