package billing

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

const (
	// fewNames is how many names people read through; of more, only those that may be meant are told.
	fewNames = 10
	// enoughGuesses is how many unknown names are worth a guess: who has more of them wrote no contract.
	enoughGuesses = 200
	longestName   = 40
)

// meant says what to do about a name that is no field of the group: what somebody who
// writes it may mean by it.
func (r *reader) meant(name string, group reflect.Type) string {
	names := namesOf(group)
	if len(names) <= fewNames {
		return "remove it, or use one of " + strings.Join(names, ", ")
	}
	if len(r.found) < enoughGuesses && len(name) <= longestName {
		if below := groupsWith(name, group); len(below) > 0 {
			return "write it below " + either(below) + ", where it belongs"
		}
		if contract := reflect.TypeFor[Contract](); group != contract && slices.Contains(namesOf(contract), name) {
			return "write it without indentation: it is a field of the contract itself"
		}
		if near := nearest(name, names); len(near) > 0 {
			return "remove it, or write " + either(near)
		}
	}
	return "remove it; docs/contracts.md lists the fields"
}

// namesOf lists the fields of a group as people write them.
func namesOf(group reflect.Type) []string {
	names := make([]string, group.NumField())
	for i := range names {
		names[i] = yamlName(group.Field(i))
	}
	return names
}

// groupsWith gives the fields of a group whose own fields have the name.
func groupsWith(name string, group reflect.Type) []string {
	var found []string
	for i := range group.NumField() {
		f := group.Field(i)
		t := f.Type
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && t != decimalType && slices.Contains(namesOf(t), name) {
			found = append(found, yamlName(f))
		}
	}
	return found[:min(3, len(found))]
}

// nearest gives the names that differ from it by a slip of the pen, the nearest first, three at most.
func nearest(name string, names []string) []string {
	plain := strings.NewReplacer("_", "", "-", "", " ", "")
	is := plain.Replace(strings.ToLower(name))
	type guess struct {
		name string
		far  int
	}
	var guesses []guess
	for _, n := range names {
		if far := distance(is, plain.Replace(n)); far <= 1+len(is)/6 && far < len(is) {
			guesses = append(guesses, guess{n, far})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(a.far, b.far) })
	var near []string
	for _, g := range guesses {
		if g.far == guesses[0].far && len(near) < 3 {
			near = append(near, g.name)
		}
	}
	return near
}

// distance is how many letters must be changed, added, left out or swapped with their
// neighbour to make a into b (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
