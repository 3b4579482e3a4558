package main

import (
	"cmp"
	"encoding"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/docket-psa/docket/document"
)

// writeCSV writes rows with the columns that their JSON has, in the order of its fields: plain numbers and dates, for
// spreadsheets. An object has a column for each of its fields, such as receivable.owed; a list, and an object in an object, is
// JSON in its cell. What could be a formula is written as text.
func writeCSV(w io.Writer, of reflect.Type, rows []reflect.Value) error {
	columns := csvColumns(of, "", nil)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	if err := out.Write(cells); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, row := range rows {
		for i, c := range columns {
			cell, err := csvCell(c.of(row))
			if err != nil {
				return fmt.Errorf("write %s as CSV: %w", c.name, err)
			}
			cells[i] = document.SafeCell(cell)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

type csvColumn struct {
	name  string
	index []int
}

// of is the column's value in a row; the zero Value where what holds it is nil.
func (c csvColumn) of(row reflect.Value) reflect.Value {
	value, err := row.FieldByIndexErr(c.index)
	if err != nil {
		return reflect.Value{}
	}
	return value
}

// csvColumns are a struct's fields as JSON names them; those of an embedded struct stand among them. within names the object
// whose fields they are, with a dot; empty: the row itself.
func csvColumns(t reflect.Type, within string, at []int) (columns []csvColumn) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int{}, at...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || (!f.IsExported() && !f.Anonymous):
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			columns = append(columns, csvColumns(f.Type, within, index)...)
		case within == "" && isObject(f.Type):
			columns = append(columns, csvColumns(object(f.Type), cmp.Or(name, f.Name)+".", index)...)
		default:
			columns = append(columns, csvColumn{within + cmp.Or(name, f.Name), index})
		}
	}
	return columns
}

// isObject says whether JSON has an object for the type: a struct that has no text of its own, as dates and decimals have.
func isObject(t reflect.Type) bool {
	t = object(t)
	return t.Kind() == reflect.Struct && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && !t.Implements(reflect.TypeFor[json.Marshaler]())
}

func object(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func csvCell(v reflect.Value) (string, error) {
	if !v.IsValid() {
		return "", nil
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", nil
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		return string(text), err
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Interface:
		if v.IsZero() {
			return "", nil
		}
		text, err := json.Marshal(v.Interface())
		return string(text), err
	default:
		return fmt.Sprint(v.Interface()), nil
	}
}
