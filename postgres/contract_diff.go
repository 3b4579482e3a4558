package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// ContractChange is one field that differs between two revisions.
type ContractChange struct {
	Field string `json:"field"`         // lines[2].price
	Was   string `json:"was,omitempty"` // empty: the field is new
	Is    string `json:"is,omitempty"`  // empty: the field is gone
}

// ContractDiff lists the fields in which two revisions of a contract differ, by name. Revision
// 0 is the last one applied.
func (r Reads) ContractDiff(ctx context.Context, contract string, from, to int) ([]ContractChange, error) {
	a, err := r.Contract(ctx, contract, from)
	if err != nil {
		return nil, err
	}
	b, err := r.Contract(ctx, contract, to)
	if err != nil {
		return nil, err
	}
	was, err := flatten(a.Document)
	if err != nil {
		return nil, fmt.Errorf("contract %s revision %d: %w", contract, a.Revision, err)
	}
	is, err := flatten(b.Document)
	if err != nil {
		return nil, fmt.Errorf("contract %s revision %d: %w", contract, b.Revision, err)
	}
	changes := []ContractChange{}
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, field := range slices.Sorted(maps.Keys(all)) {
		if was[field] != is[field] {
			changes = append(changes, ContractChange{Field: field, Was: was[field], Is: is[field]})
		}
	}
	return changes, nil
}

// flatten gives every value of a document by the path of its field. Lines are told apart by
// their clause rather than their place, so that a line inserted above others changes no other.
func flatten(document json.RawMessage) (map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read the stored document: %w", err)
	}
	flat := map[string]string{}
	flattenInto(flat, "", v)
	return flat, nil
}

func flattenInto(flat map[string]string, field string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			at := name
			if field != "" {
				at = field + "." + name
			}
			flattenInto(flat, at, item)
		}
	case []any:
		for i, item := range v {
			place := strconv.Itoa(i)
			if m, ok := item.(map[string]any); ok {
				if clause, ok := m["clause"].(string); ok && clause != "" {
					place = clause
				}
			}
			flattenInto(flat, field+"["+place+"]", item)
		}
	default:
		flat[field] = fmt.Sprint(v)
	}
}
