package billing

import "github.com/shopspring/decimal"

// SchemaV1 names version 1 of the contract document. It grows by addition only.
const SchemaV1 = "docket.contract/v1"

// Contract is the document of one contract version, as people write it (YAML or JSON).
// Durations are written "15m", "1h30m"; money as decimal strings; dates as local dates.
type Contract struct {
	Schema        string    `json:"schema" yaml:"schema"`
	ID            string    `json:"contract" yaml:"contract"`
	Client        string    `json:"client" yaml:"client"`
	Name          string    `json:"name" yaml:"name"`
	EffectiveFrom string    `json:"effective_from" yaml:"effective_from"`                 // local date, inclusive
	EffectiveTo   string    `json:"effective_to,omitempty" yaml:"effective_to,omitempty"` // local date, exclusive
	Currency      string    `json:"currency" yaml:"currency"`                             // ISO 4217
	TimeZone      string    `json:"time_zone" yaml:"time_zone"`                           // IANA
	Priority      int       `json:"priority,omitempty" yaml:"priority,omitempty"`         // higher wins between equally specific lines
	Rounding      string    `json:"rounding,omitempty" yaml:"rounding,omitempty"`         // half-up (default), half-even
	Time          TimeTerms `json:"time,omitzero" yaml:"time,omitempty"`
	Rates         []Rate    `json:"rates,omitempty" yaml:"rates,omitempty"`
	Lines         []Line    `json:"lines" yaml:"lines"`
	Unmatched     string    `json:"unmatched,omitempty" yaml:"unmatched,omitempty"` // out-of-scope (default) or time
	Approval      *Approval `json:"approval,omitempty" yaml:"approval,omitempty"`
	Patience      string    `json:"patience,omitempty" yaml:"patience,omitempty"` // of an exception, "4h" by default
	SLA           *SLA      `json:"sla,omitempty" yaml:"sla,omitempty"`
}

// TimeTerms say how time becomes billable time, when a line does not say it itself.
type TimeTerms struct {
	Minimum   string `json:"minimum,omitempty" yaml:"minimum,omitempty"`
	Increment string `json:"increment,omitempty" yaml:"increment,omitempty"`
	Scope     string `json:"scope,omitempty" yaml:"scope,omitempty"` // entry (default) or ticket
	// AI work is billed by the exact millisecond unless these say otherwise.
	AIMinimum    string `json:"ai_minimum,omitempty" yaml:"ai_minimum,omitempty"`
	AIIncrement  string `json:"ai_increment,omitempty" yaml:"ai_increment,omitempty"`
	AIAccumulate string `json:"ai_accumulate,omitempty" yaml:"ai_accumulate,omitempty"` // period (default) or closure
}

// Rate is one row of the rate card. An empty field matches anything; the row with the
// most fields set wins, then the first.
type Rate struct {
	Clause   string          `json:"clause,omitempty" yaml:"clause,omitempty"`
	WorkRole string          `json:"work_role,omitempty" yaml:"work_role,omitempty"`
	WorkType string          `json:"work_type,omitempty" yaml:"work_type,omitempty"`
	Actor    string          `json:"actor,omitempty" yaml:"actor,omitempty"` // human or ai; empty is human: AI is never billed at a human rate
	Hourly   decimal.Decimal `json:"hourly" yaml:"hourly"`
}

// Line is one clause: which work it speaks of, and how that is charged.
type Line struct {
	Clause   string           `json:"clause" yaml:"clause"`
	Name     string           `json:"name" yaml:"name"`
	Match    Match            `json:"match,omitzero" yaml:"match,omitempty"`
	Charge   string           `json:"charge" yaml:"charge"`                     // covered, time, block, per-ticket, not-billable, out-of-scope
	Hidden   bool             `json:"hidden,omitempty" yaml:"hidden,omitempty"` // covered work without a 0.00 line
	Time     *TimeTerms       `json:"time,omitempty" yaml:"time,omitempty"`
	Overage  string           `json:"overage,omitempty" yaml:"overage,omitempty"`   // with block: rate-card (default), hold, or an hourly price
	Price    *decimal.Decimal `json:"price,omitempty" yaml:"price,omitempty"`       // with per-ticket: for each ticket beyond Included
	Included int              `json:"included,omitempty" yaml:"included,omitempty"` // with per-ticket: tickets of a month without charge
}

// Match says which work a line speaks of. An empty list matches anything.
type Match struct {
	Categories    []string `json:"categories,omitempty" yaml:"categories,omitempty"`
	Subcategories []string `json:"subcategories,omitempty" yaml:"subcategories,omitempty"`
	Types         []string `json:"types,omitempty" yaml:"types,omitempty"`
	WorkTypes     []string `json:"work_types,omitempty" yaml:"work_types,omitempty"`
	Channels      []string `json:"channels,omitempty" yaml:"channels,omitempty"`
	Sites         []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	Actors        []string `json:"actors,omitempty" yaml:"actors,omitempty"`
	Priorities    []int    `json:"priorities,omitempty" yaml:"priorities,omitempty"`
}

// Approval says when the client must agree, and who signs for it.
type Approval struct {
	Clause     string           `json:"clause,omitempty" yaml:"clause,omitempty"`
	AmountOver *decimal.Decimal `json:"amount_over,omitempty" yaml:"amount_over,omitempty"` // of a ticket's round, in the contract's currency
	TimeOver   string           `json:"time_over,omitempty" yaml:"time_over,omitempty"`     // billable time of a ticket's round
	Approvers  []string         `json:"approvers" yaml:"approvers"`                         // person ids
	Expires    string           `json:"expires,omitempty" yaml:"expires,omitempty"`         // "72h" by default
}

// SLA gives the targets by priority, in business time of the calendar.
type SLA struct {
	Calendar string            `json:"calendar" yaml:"calendar"` // "24x7" or the id of a calendar
	Targets  map[int]SLATarget `json:"targets" yaml:"targets"`   // by priority, 1 … 5
}

// SLATarget is how soon somebody answers, and how soon it is solved.
type SLATarget struct {
	Response   string `json:"response" yaml:"response"`
	Resolution string `json:"resolution" yaml:"resolution"`
}
