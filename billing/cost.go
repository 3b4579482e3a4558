package billing

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// CostSchemaV1 names version 1 of the cost document. It grows by addition only.
const CostSchemaV1 = "docket.cost/v1"

// CostRates is what work costs us from a date on, as people write it: one version of one document
// for the whole house, so that a margin compares what was billed with what it really cost. It is
// ours alone; no client ever sees it.
type CostRates struct {
	Schema        string     `json:"schema" yaml:"schema"`
	EffectiveFrom string     `json:"effective_from" yaml:"effective_from"` // local date, inclusive
	TimeZone      string     `json:"time_zone" yaml:"time_zone"`           // IANA, of that date
	Currency      string     `json:"currency" yaml:"currency"`             // ISO 4217
	Rates         []CostRate `json:"rates" yaml:"rates"`
}

// CostRate is what some work costs. An empty field matches anything; a row that names the person
// wins over one that names his role, that one over the rest, then the first.
type CostRate struct {
	Person    string           `json:"person,omitempty" yaml:"person,omitempty"`         // id
	WorkRole  string           `json:"work_role,omitempty" yaml:"work_role,omitempty"`   // of the entry
	Actor     string           `json:"actor,omitempty" yaml:"actor,omitempty"`           // human or ai; empty: human, unless a person is named
	Hourly    *decimal.Decimal `json:"hourly,omitempty" yaml:"hourly,omitempty"`         // of elapsed time, failed attempts too
	Run       *decimal.Decimal `json:"run,omitempty" yaml:"run,omitempty"`               // of each entry, whatever it takes: a run of an agent
	TokensIn  *decimal.Decimal `json:"tokens_in,omitempty" yaml:"tokens_in,omitempty"`   // of a thousand that the model read
	TokensOut *decimal.Decimal `json:"tokens_out,omitempty" yaml:"tokens_out,omitempty"` // of a thousand that it wrote
}

// CostedWork is what the cost of a work entry depends on.
type CostedWork struct {
	Person    string
	WorkRole  string
	Kind      string // human or ai
	MS        int64
	TokensIn  int64
	TokensOut int64
}

// ParseCostRates reads a cost document, YAML or JSON, as strictly as a contract. The error joins one
// Problem, with line and fix, for each thing that is wrong.
func ParseCostRates(data []byte) (*CostRates, error) {
	ps := &problems{lines: map[string]int{}}
	c := new(CostRates)
	if root := read(ps, data, costDocument); root != nil {
		r := reader{problems: ps, kind: costDocument}
		r.value("", root, reflect.ValueOf(c).Elem())
		checkCosts(checker{problems: ps}, c)
	}
	if err := ps.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadCostRates reads a cost document as it was stored, as ReadContract reads a contract.
func ReadCostRates(stored []byte) (*CostRates, error) {
	c := new(CostRates)
	if err := readStored(stored, c); err != nil {
		return nil, fmt.Errorf("read a stored cost document: %w", err)
	}
	return c, nil
}

func checkCosts(ck checker, c *CostRates) {
	if c.Schema != CostSchemaV1 {
		ck.need("schema", c.Schema, "is not a schema of this version", "write "+CostSchemaV1)
	}
	ck.date("effective_from", c.EffectiveFrom)
	if c.TimeZone == "" {
		ck.need("time_zone", "", "", zoneFix)
	}
	ck.zone("time_zone", c.TimeZone)
	if _, known := MinorUnits(c.Currency); !known {
		ck.need("currency", c.Currency, "is not a currency of ISO 4217", "use its three capital letters, like EUR")
	}
	switch {
	case len(c.Rates) == 0:
		ck.need("rates", "", "", "give at least one row, like {work_role: engineer, hourly: 45.00}")
	case len(c.Rates) > maxRates:
		ck.add("rates", strconv.Itoa(len(c.Rates)), "are too many", "give at most 1000 rows")
		return
	}
	type key struct{ person, role, actor string }
	seen := map[key]int{}
	for i, r := range c.Rates {
		field := nth("rates", i)
		ck.oneOf(field+".actor", r.Actor, "", kindHuman, kindAI)
		if r.Person != "" && !idShape.MatchString(r.Person) {
			ck.add(field+".person", r.Person, "is not a person's id", idFix)
		}
		priced := false
		for _, p := range []struct {
			name  string
			price *decimal.Decimal
		}{{"hourly", r.Hourly}, {"run", r.Run}, {"tokens_in", r.TokensIn}, {"tokens_out", r.TokensOut}} {
			if p.price != nil {
				ck.price(field+"."+p.name, *p.price)
				priced = true
			}
		}
		if !priced && !ck.reported(field) {
			ck.add(field, "", "says no cost", "give hourly, run, tokens_in or tokens_out; 0 for free")
		}
		k := key{r.Person, strings.ToLower(r.WorkRole), r.actor()}
		if j, twice := seen[k]; twice {
			ck.add(field, "", "speaks of the same work as rates["+strconv.Itoa(j)+"]", "keep one of the two rows")
		}
		seen[k] = i
	}
}

// actor is whose work the row speaks of; empty: the named person's, whoever that is.
func (r *CostRate) actor() string {
	if r.Actor == "" && r.Person == "" {
		return kindHuman
	}
	return r.Actor
}

func (r *CostRate) fits(w CostedWork) bool {
	actor := r.actor()
	return (r.Person == "" || r.Person == w.Person) && (r.WorkRole == "" || strings.EqualFold(r.WorkRole, w.WorkRole)) && (actor == "" || actor == w.Kind)
}

// specific orders rows: a person outweighs a role.
func (r *CostRate) specific() int { return 2*set(r.Person != "") + set(r.WorkRole != "") }

// Cost gives what the work costs, exact to 16 places, in the document's currency; false where no row
// speaks of it.
func (c *CostRates) Cost(w CostedWork) (decimal.Decimal, bool) {
	best := -1
	for i := range c.Rates {
		if c.Rates[i].fits(w) && (best < 0 || c.Rates[i].specific() > c.Rates[best].specific()) {
			best = i
		}
	}
	if best < 0 {
		return decimal.Zero, false
	}
	r := &c.Rates[best]
	// The labour is kept as milliseconds × rate, and tokens as thousandths: dividing comes last.
	hours := decimal.NewFromInt(time.Hour.Milliseconds())
	exact := orZero(r.Hourly).Mul(decimal.NewFromInt(w.MS)).
		Add(orZero(r.Run).Mul(hours)).
		Add(orZero(r.TokensIn).Mul(decimal.NewFromInt(w.TokensIn)).Mul(hours).Shift(-3)).
		Add(orZero(r.TokensOut).Mul(decimal.NewFromInt(w.TokensOut)).Mul(hours).Shift(-3))
	return exact.DivRound(hours, 16), true
}

func orZero(d *decimal.Decimal) decimal.Decimal {
	if d == nil {
		return decimal.Zero
	}
	return *d
}

// Begins is the instant at which EffectiveFrom starts.
func (c *CostRates) Begins() (time.Time, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone of the cost document: %w", err)
	}
	return midnight(c.EffectiveFrom, zone), nil
}

// People lists the ids of the people whom rows name, sorted.
func (c *CostRates) People() []string {
	var ids []string
	for _, r := range c.Rates {
		if r.Person != "" {
			ids = append(ids, r.Person)
		}
	}
	return sorted(ids)
}

// Digest is the SHA-256 of the document's canonical JSON.
func (c *CostRates) Digest() string { return digest(c) }
