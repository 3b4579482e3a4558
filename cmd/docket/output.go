package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/docket-psa/docket/ticket"
)

// show prints one thing: as JSON where -o asks for it, else by text.
func (a *app) show(v any, text func()) error {
	if a.output == "table" {
		raw := a.stdout
		a.stdout = screen{raw}
		defer func() { a.stdout = raw }()
		text()
		return nil
	}
	return a.encode(v)
}

// screen writes text that people read on a terminal. What strangers wrote into a ticket could otherwise colour it, move its
// cursor or turn its letters round, and so say what nobody said. JSON and files go out as they are.
type screen struct{ w io.Writer }

func (s screen) Write(text []byte) (int, error) {
	if _, err := io.WriteString(s.w, harmless(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// harmless takes out what a terminal obeys or nobody sees; lines and tabs stay.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case ticket.Unseen(r):
			return -1
		}
		return r
	}, s)
}

// encode prints v as JSON: indented for json, in one line for jsonl.
func (a *app) encode(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	if a.output == "json" {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// column is one column of a table.
type column[T any] struct {
	head  string
	right bool // numbers and money
	cell  func(T) string
}

func text[T any](head string, cell func(T) string) column[T] {
	return column[T]{head: head, cell: cell}
}

func number[T any](head string, cell func(T) string) column[T] {
	return column[T]{head: head, right: true, cell: cell}
}

// list prints many things: a table, CSV, one JSON array, or one JSON object a line. empty says, on
// stderr, what would be here and which command makes it appear.
func list[T any](a *app, items []T, empty string, columns ...column[T]) error {
	switch a.output {
	case "csv":
		rows := make([]reflect.Value, len(items))
		for i := range items {
			rows[i] = reflect.ValueOf(items[i])
		}
		return writeCSV(a.stdout, reflect.TypeFor[T](), rows)
	case "json":
		if items == nil {
			items = []T{}
		}
		return a.encode(items)
	case "jsonl":
		for _, item := range items {
			if err := a.encode(item); err != nil {
				return err
			}
		}
		return nil
	}
	if len(items) == 0 {
		a.say("%s", empty)
		return nil
	}
	rows := make([][]string, 0, len(items)+1)
	heads := make([]string, len(columns))
	right := make([]bool, len(columns))
	for i, c := range columns {
		heads[i], right[i] = c.head, c.right
	}
	rows = append(rows, heads)
	for _, item := range items {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = harmless(strings.ReplaceAll(c.cell(item), "\n", " "))
		}
		rows = append(rows, row)
	}
	align(a.stdout, rows, right)
	return nil
}

// align prints rows with columns as wide as their widest cell, without trailing blanks.
func align(w io.Writer, rows [][]string, right []bool) {
	widths := make([]int, len(right))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			gap := strings.Repeat(" ", widths[i]-columnsOf(cell))
			if right[i] {
				line.WriteString(gap + cell)
			} else {
				line.WriteString(cell + gap)
			}
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// columnsOf is how many columns of a terminal a text takes: letters of East Asia take two, accents that stand on the letter
// before take none.
func columnsOf(s string) (n int) {
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
				n++
			}
		}
	}
	return n
}

// sums prints names and amounts, the amounts one below the other; what has none is left out.
func sums(w io.Writer, pairs ...string) {
	align(w, filled(pairs), []bool{false, true})
}

// fields prints names and values in two aligned columns, leaving out what is empty.
func fields(w io.Writer, pairs ...string) {
	align(w, filled(pairs), []bool{false, false})
}

func filled(pairs []string) (rows [][]string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			rows = append(rows, []string{pairs[i], pairs[i+1]})
		}
	}
	return rows
}
