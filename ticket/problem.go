package ticket

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one thing wrong with what somebody sent: the field, its value, what is
// wrong with it and what to do. Nothing is stored when a Problem is returned.
type Problem struct {
	Field   string `json:"field"`
	Value   string `json:"value"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// Invalid builds a Problem. The value is cut to 80 bytes: it is shown, not stored.
func Invalid(field string, value any, problem, fix string) *Problem {
	v := strings.ToValidUTF8(fmt.Sprint(value), "�")
	if len(v) > 80 {
		v = strings.ToValidUTF8(v[:77], "") + "..."
	}
	return &Problem{Field: field, Value: v, Problem: problem, Fix: fix}
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s %q %s: %s", p.Field, p.Value, p.Problem, p.Fix)
}

// Problems lists every Problem within err, in the order they were joined.
func Problems(err error) []*Problem {
	if err == nil {
		return nil
	}
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		var all []*Problem
		for _, e := range many.Unwrap() {
			all = append(all, Problems(e)...)
		}
		return all
	}
	var one *Problem
	if errors.As(err, &one) {
		return []*Problem{one}
	}
	return nil
}
