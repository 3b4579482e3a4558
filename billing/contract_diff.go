package billing

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Change is one field in which two contract documents differ.
type Change struct {
	Field string `json:"field"`         // lines[A2].price
	Was   string `json:"was,omitempty"` // empty: the field is new
	Is    string `json:"is,omitempty"`  // empty: the field is gone
}

// Diff lists the fields in which two contract documents differ, in the order of the document.
// Rows of a list are told apart by their clause, name or date rather than their place, so
// that a line inserted above others changes no other.
func Diff(was, is *Contract) []Change {
	before, after := said(was), said(is)
	changes := []Change{}
	add := func(field string) {
		a, b := before.value[field], after.value[field]
		if a != b {
			changes = append(changes, Change{Field: field, Was: a, Is: b})
		}
	}
	next := 0
	addNew := func(until string) {
		for ; next < len(after.order) && after.order[next] != until; next++ {
			if _, known := before.value[after.order[next]]; !known {
				add(after.order[next])
			}
		}
	}
	for _, field := range before.order {
		// What is new stands where the new document has it: before the next field that both have.
		if place, stays := after.place[field]; stays && place >= next {
			addNew(field)
		}
		add(field)
	}
	addNew("")
	return changes
}

// fieldsSaid is every value of a document by the path of its field, in the order of the document.
type fieldsSaid struct {
	value map[string]string
	place map[string]int
	order []string
}

func said(c *Contract) *fieldsSaid {
	f := &fieldsSaid{value: map[string]string{}, place: map[string]int{}}
	f.add("", reflect.ValueOf(*c))
	return f
}

func (f *fieldsSaid) add(field string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		// A number that is there says something though it is zero, and so does a group without fields.
		if n := len(f.order); v.Elem().Kind() == reflect.Struct && v.Elem().Type() != decimalType {
			if f.add(field, v.Elem()); len(f.order) == n {
				f.say(field, "{}")
			}
			return
		}
		f.say(field, text(v.Elem()))
	case reflect.Struct:
		if v.Type() == decimalType {
			f.say(field, text(v))
			return
		}
		for i := range v.NumField() {
			name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if option == "" || !unsaid(v.Field(i)) {
				f.add(join(field, name), v.Field(i))
			}
		}
	case reflect.Slice:
		f.addList(field, v)
	case reflect.Map:
		for priority := 1; priority <= 5; priority++ {
			if item := v.MapIndex(reflect.ValueOf(priority)); item.IsValid() {
				f.add(join(field, strconv.Itoa(priority)), item)
			}
		}
	default:
		f.say(field, text(v))
	}
}

// unsaid says whether a field that may be left out was.
func unsaid(v reflect.Value) bool {
	if d, is := v.Interface().(decimal.Decimal); is {
		return d.IsZero()
	}
	return v.IsZero()
}

// addList tells a list of names in one, and the rows of any other by what they are called.
func (f *fieldsSaid) addList(field string, v reflect.Value) {
	if v.Type().Elem().Kind() != reflect.Struct {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = text(v.Index(i))
		}
		if len(words) > 0 {
			f.say(field, strings.Join(words, ", "))
		}
		return
	}
	seen := map[string]int{}
	for i := range v.Len() {
		name := called(v.Index(i).Interface(), i)
		if seen[name]++; seen[name] > 1 {
			name += "#" + strconv.Itoa(seen[name])
		}
		f.add(field+"["+name+"]", v.Index(i))
	}
}

// called names a row of a list: by its clause where it has one.
func called(row any, place int) string {
	switch r := row.(type) {
	case Line:
		return cmp.Or(r.Clause, strconv.Itoa(place))
	case MaterialTerms:
		return cmp.Or(r.Clause, strconv.Itoa(place))
	case Band:
		return cmp.Or(r.Name, strconv.Itoa(place))
	case Pause:
		return cmp.Or(r.From, strconv.Itoa(place))
	case Rate:
		if r.Clause != "" {
			return r.Clause
		}
		words := strings.Join([]string{r.WorkRole, r.WorkType, r.Actor, r.Band}, " ")
		return cmp.Or(strings.Join(strings.Fields(words), " "), "any")
	}
	return strconv.Itoa(place)
}

func (f *fieldsSaid) say(field, value string) {
	f.value[field], f.place[field] = value, len(f.order)
	f.order = append(f.order, field)
}

func text(v reflect.Value) string {
	switch v := v.Interface().(type) {
	case decimal.Decimal:
		return v.String()
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	}
	return ""
}
