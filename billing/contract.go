package billing

import "github.com/shopspring/decimal"

// SchemaV1 names version 1 of the contract document. It grows by addition only.
const SchemaV1 = "docket.contract/v1"

// Contract is the document of one contract version, as people write it (YAML or JSON).
// Durations are written "15m", "1h30m"; money as decimal strings; dates as local dates.
type Contract struct {
	Schema        string          `json:"schema" yaml:"schema"`
	ID            string          `json:"contract" yaml:"contract"`
	Client        string          `json:"client" yaml:"client"`
	Name          string          `json:"name" yaml:"name"`
	EffectiveFrom string          `json:"effective_from" yaml:"effective_from"`                 // local date, inclusive
	EffectiveTo   string          `json:"effective_to,omitempty" yaml:"effective_to,omitempty"` // local date, exclusive
	Currency      string          `json:"currency" yaml:"currency"`                             // ISO 4217
	TimeZone      string          `json:"time_zone" yaml:"time_zone"`                           // IANA
	Priority      int             `json:"priority,omitempty" yaml:"priority,omitempty"`         // higher wins between equally specific lines
	Fallback      bool            `json:"fallback,omitempty" yaml:"fallback,omitempty"`         // governs only while no other contract of the client is in force: the default rate card
	Rounding      string          `json:"rounding,omitempty" yaml:"rounding,omitempty"`         // half-up (default), half-even
	RoundingOf    string          `json:"rounding_of,omitempty" yaml:"rounding_of,omitempty"`   // line (default): the sum of rounded lines; ticket: the rounded sum of a ticket's round
	Payer         string          `json:"payer,omitempty" yaml:"payer,omitempty"`               // client id that gets the invoice; empty: the client's payer
	Billing       *Billing        `json:"billing,omitempty" yaml:"billing,omitempty"`
	Term          *Term           `json:"term,omitempty" yaml:"term,omitempty"`
	Pauses        []Pause         `json:"pauses,omitempty" yaml:"pauses,omitempty"`
	Tax           string          `json:"tax,omitempty" yaml:"tax,omitempty"` // id of a tax profile; empty: the payer's
	Accounting    *Accounting     `json:"accounting,omitempty" yaml:"accounting,omitempty"`
	PurchaseOrder *PurchaseOrder  `json:"purchase_order,omitempty" yaml:"purchase_order,omitempty"`
	Time          TimeTerms       `json:"time,omitzero" yaml:"time,omitempty"`
	Bands         []Band          `json:"bands,omitempty" yaml:"bands,omitempty"`
	Premium       *Premium        `json:"premium,omitempty" yaml:"premium,omitempty"`
	Rates         []Rate          `json:"rates,omitempty" yaml:"rates,omitempty"`
	Lines         []Line          `json:"lines" yaml:"lines"`
	Materials     []MaterialTerms `json:"materials,omitempty" yaml:"materials,omitempty"`
	Unmatched     string          `json:"unmatched,omitempty" yaml:"unmatched,omitempty"` // out-of-scope (default) or time
	Listed        *Listed         `json:"listed,omitempty" yaml:"listed,omitempty"`
	Callers       *Callers        `json:"callers,omitempty" yaml:"callers,omitempty"`
	Approval      *Approval       `json:"approval,omitempty" yaml:"approval,omitempty"`
	NotToExceed   *NotToExceed    `json:"not_to_exceed,omitempty" yaml:"not_to_exceed,omitempty"`
	Project       *Project        `json:"project,omitempty" yaml:"project,omitempty"`
	Expected      *Expected       `json:"expected,omitempty" yaml:"expected,omitempty"`
	Commitment    *Commitment     `json:"commitment,omitempty" yaml:"commitment,omitempty"`
	Warranty      *Warranty       `json:"warranty,omitempty" yaml:"warranty,omitempty"`
	Reopen        string          `json:"reopen,omitempty" yaml:"reopen,omitempty"`     // reverse (default): a reopened round is undone and rated afresh; keep: it stands and only new work bills
	Patience      string          `json:"patience,omitempty" yaml:"patience,omitempty"` // of an exception, "4h" by default
	SLA           *SLA            `json:"sla,omitempty" yaml:"sla,omitempty"`
}

// Billing says by which periods the contract is invoiced, and when its invoices are due.
type Billing struct {
	Period      string `json:"period,omitempty" yaml:"period,omitempty"`             // monthly (default), quarterly, semiannual, yearly
	Anchor      int    `json:"anchor,omitempty" yaml:"anchor,omitempty"`             // day of the month on which a period begins, 1 (default) … 28
	FirstMonth  int    `json:"first_month,omitempty" yaml:"first_month,omitempty"`   // month in which a year's first period begins, 1 (default) … 12; of periods longer than a month
	PaymentDays int    `json:"payment_days,omitempty" yaml:"payment_days,omitempty"` // days from the invoice's date until it is due
	Negative    string `json:"negative,omitempty" yaml:"negative,omitempty"`         // of an invoice below zero: carry (default) into the next one, or credit-note
	AdvanceOn   string `json:"advance_on,omitempty" yaml:"advance_on,omitempty"`     // invoice of what bills in advance: own-invoice (default) of its period, or previous-invoice, which closes when the period begins
}

// Term says how long the contract runs, and what happens at its end.
type Term struct {
	Months         int              `json:"months,omitempty" yaml:"months,omitempty"`                   // from effective_from, or from Since
	Since          string           `json:"since,omitempty" yaml:"since,omitempty"`                     // local date on which the first term began, where an earlier revision began it
	Renews         string           `json:"renews,omitempty" yaml:"renews,omitempty"`                   // auto (default), ask, no
	RenewalMonths  int              `json:"renewal_months,omitempty" yaml:"renewal_months,omitempty"`   // of each further term; empty: as Months
	NoticeDays     int              `json:"notice_days,omitempty" yaml:"notice_days,omitempty"`         // before the end of a term
	UpliftPercent  *decimal.Decimal `json:"uplift_percent,omitempty" yaml:"uplift_percent,omitempty"`   // on the prices of recurring lines, at each renewal
	CancelledOn    string           `json:"cancelled_on,omitempty" yaml:"cancelled_on,omitempty"`       // local date of the notice; effective_to is the last day's morrow
	TerminationFee *decimal.Decimal `json:"termination_fee,omitempty" yaml:"termination_fee,omitempty"` // charged once, when it is cancelled before its term ends
}

// Pause is a range of local dates in which the contract grants nothing.
type Pause struct {
	From string `json:"from" yaml:"from"`                     // inclusive
	To   string `json:"to" yaml:"to"`                         // exclusive
	Fee  string `json:"fee,omitempty" yaml:"fee,omitempty"`   // of recurring lines: waive (default) or bill
	Work string `json:"work,omitempty" yaml:"work,omitempty"` // that would have been covered: hold (default) or time, billed at the rate card
}

// Accounting says where revenue is booked. A line's own wins over the contract's.
type Accounting struct {
	Account string `json:"account,omitempty" yaml:"account,omitempty"` // revenue account
	Item    string `json:"item,omitempty" yaml:"item,omitempty"`       // item or product code
	Defer   string `json:"defer,omitempty" yaml:"defer,omitempty"`     // no (default), straight-line over the period, or as-used
}

// PurchaseOrder is the client's order that the contract bills against.
type PurchaseOrder struct {
	Number string          `json:"number" yaml:"number"`
	Limit  decimal.Decimal `json:"limit" yaml:"limit"`                         // net, over the life of the order
	UsedUp string          `json:"used_up,omitempty" yaml:"used_up,omitempty"` // warn (default) or hold
}

// TimeTerms say how time becomes billable time, when a line does not say it itself.
type TimeTerms struct {
	Minimum        string `json:"minimum,omitempty" yaml:"minimum,omitempty"`
	Increment      string `json:"increment,omitempty" yaml:"increment,omitempty"`
	Round          string `json:"round,omitempty" yaml:"round,omitempty"`                     // to a whole number of increments: up (default), nearest, down
	Grace          string `json:"grace,omitempty" yaml:"grace,omitempty"`                     // how far beyond an increment time may go before the next one begins
	Scope          string `json:"scope,omitempty" yaml:"scope,omitempty"`                     // of the minimum: entry (default), ticket, day
	IncrementScope string `json:"increment_scope,omitempty" yaml:"increment_scope,omitempty"` // of the increment: entry, ticket, day; empty: as Scope
	Unstarted      string `json:"unstarted,omitempty" yaml:"unstarted,omitempty"`             // band of an entry without a start, "standard" for none; empty: an exception where bands matter
	Failed         string `json:"failed,omitempty" yaml:"failed,omitempty"`                   // attempts: cost (default) only, or bill
	Elsewhere      string `json:"elsewhere,omitempty" yaml:"elsewhere,omitempty"`             // a person's work while he was on another ticket too: show (default) in the explanation, or hold
	// AI work is billed by the exact millisecond unless these say otherwise.
	AIMinimum    string `json:"ai_minimum,omitempty" yaml:"ai_minimum,omitempty"`
	AIIncrement  string `json:"ai_increment,omitempty" yaml:"ai_increment,omitempty"`
	AIAccumulate string `json:"ai_accumulate,omitempty" yaml:"ai_accumulate,omitempty"` // period (default) or closure
}

// Band is a part of the week that is priced apart, by the wall clock of Zone.
type Band struct {
	Clause     string           `json:"clause,omitempty" yaml:"clause,omitempty"`
	Name       string           `json:"name" yaml:"name"`
	Zone       string           `json:"zone,omitempty" yaml:"zone,omitempty"`             // IANA; empty: the contract's
	Days       []string         `json:"days,omitempty" yaml:"days,omitempty"`             // monday … sunday, weekdays, weekend; empty: none but Dates
	Hours      []string         `json:"hours,omitempty" yaml:"hours,omitempty"`           // of those days, like 17:00-24:00; empty: all of the day
	Dates      []string         `json:"dates,omitempty" yaml:"dates,omitempty"`           // holidays: all day long, whatever the day of the week
	Except     []string         `json:"except,omitempty" yaml:"except,omitempty"`         // dates on which the band does not apply
	Multiplier *decimal.Decimal `json:"multiplier,omitempty" yaml:"multiplier,omitempty"` // empty: 1, where the rate card or a line speaks of the band
	CallOut    *decimal.Decimal `json:"call_out,omitempty" yaml:"call_out,omitempty"`     // fee for a person's billable work in the band, once a ticket's round
}

// Premium says how the multipliers of bands weigh.
type Premium struct {
	Several string `json:"several,omitempty" yaml:"several,omitempty"` // where bands overlap: highest (default), or add what each adds; they never compound
	On      string `json:"on,omitempty" yaml:"on,omitempty"`           // rate (default), or minutes: then block hours draw weighted too
	AI      bool   `json:"ai,omitempty" yaml:"ai,omitempty"`           // AI work too; it has no premium otherwise
}

// Rate is one row of the rate card. An empty field matches anything; the row with the
// most fields set wins, then the first.
type Rate struct {
	Clause   string          `json:"clause,omitempty" yaml:"clause,omitempty"`
	WorkRole string          `json:"work_role,omitempty" yaml:"work_role,omitempty"`
	WorkType string          `json:"work_type,omitempty" yaml:"work_type,omitempty"`
	Actor    string          `json:"actor,omitempty" yaml:"actor,omitempty"` // human or ai; empty is human: AI is never billed at a human rate
	Band     string          `json:"band,omitempty" yaml:"band,omitempty"`   // its price is for the band: no multiplier comes on top
	Hourly   decimal.Decimal `json:"hourly" yaml:"hourly"`
	// Weight is what a minute of the work counts where it is drawn from hours that are paid for: a senior's hour may take
	// an hour and a half of a block. Beside a premium on minutes the higher of the two counts. Empty: 1.
	Weight *decimal.Decimal `json:"weight,omitempty" yaml:"weight,omitempty"`
}

// Line is one clause: which work it speaks of, and how that is charged.
type Line struct {
	Clause   string           `json:"clause" yaml:"clause"`
	Name     string           `json:"name" yaml:"name"`
	Match    Match            `json:"match,omitzero" yaml:"match,omitempty"`
	Except   *Match           `json:"except,omitempty" yaml:"except,omitempty"` // work that Match fits and the line still does not speak of
	Charge   string           `json:"charge" yaml:"charge"`                     // one of the charges of docs/contracts.md
	Hidden   bool             `json:"hidden,omitempty" yaml:"hidden,omitempty"` // covered work without a 0.00 line
	Time     *TimeTerms       `json:"time,omitempty" yaml:"time,omitempty"`
	Overage  string           `json:"overage,omitempty" yaml:"overage,omitempty"`   // with block and bucket: rate-card (default), hold, or an hourly price
	Price    *decimal.Decimal `json:"price,omitempty" yaml:"price,omitempty"`       // per-ticket: of each ticket beyond Included; flat, bucket, retainer: of a period; per-device, per-seat: of one for a period
	Included int              `json:"included,omitempty" yaml:"included,omitempty"` // with per-ticket: tickets of a period without charge

	Block    *BlockTerms      `json:"block,omitempty" yaml:"block,omitempty"`       // with block
	Bucket   *Bucket          `json:"bucket,omitempty" yaml:"bucket,omitempty"`     // with bucket
	Retainer *decimal.Decimal `json:"retainer,omitempty" yaml:"retainer,omitempty"` // with retainer: money of each period that pays for work at the rate card
	Usage    *UsageTerms      `json:"usage,omitempty" yaml:"usage,omitempty"`       // with usage
	Count    *CountTerms      `json:"count,omitempty" yaml:"count,omitempty"`       // with per-device and per-seat
	When     string           `json:"when,omitempty" yaml:"when,omitempty"`         // with a recurring charge: advance (default) or arrears
	Prorate  string           `json:"prorate,omitempty" yaml:"prorate,omitempty"`   // with a recurring charge: days (default) of a period in force, or no
	Discount *DiscountTerms   `json:"discount,omitempty" yaml:"discount,omitempty"`
	Cap      *decimal.Decimal `json:"cap,omitempty" yaml:"cap,omitempty"` // most that the line costs in a period; what is beyond shows as a discount

	TaxCategory string      `json:"tax_category,omitempty" yaml:"tax_category,omitempty"` // of the tax profile; empty: its standard one
	Accounting  *Accounting `json:"accounting,omitempty" yaml:"accounting,omitempty"`
}

// Match says which work a line speaks of. An empty list matches anything.
type Match struct {
	Categories    []string `json:"categories,omitempty" yaml:"categories,omitempty"`
	Subcategories []string `json:"subcategories,omitempty" yaml:"subcategories,omitempty"`
	Types         []string `json:"types,omitempty" yaml:"types,omitempty"`
	WorkTypes     []string `json:"work_types,omitempty" yaml:"work_types,omitempty"`
	Channels      []string `json:"channels,omitempty" yaml:"channels,omitempty"`
	Sites         []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	Devices       []string `json:"devices,omitempty" yaml:"devices,omitempty"`
	Actors        []string `json:"actors,omitempty" yaml:"actors,omitempty"`
	Bands         []string `json:"bands,omitempty" yaml:"bands,omitempty"` // of the work; "standard" is outside all bands
	Priorities    []int    `json:"priorities,omitempty" yaml:"priorities,omitempty"`
}

// BlockTerms say how the blocks of hours of a line behave.
type BlockTerms struct {
	Unpaid      string   `json:"unpaid,omitempty" yaml:"unpaid,omitempty"`             // a block whose invoice is not paid: usable (default), or hold what it would pay
	EarlierWork bool     `json:"earlier_work,omitempty" yaml:"earlier_work,omitempty"` // a block also pays for work of its period done before it was bought
	GraceDays   *int     `json:"grace_days,omitempty" yaml:"grace_days,omitempty"`     // after the expiry in which work done before it may still draw; empty: however late it is logged
	Overdraw    string   `json:"overdraw,omitempty" yaml:"overdraw,omitempty"`         // hours that may be used ahead of the next block, which pays them back
	Renewal     *Renewal `json:"renewal,omitempty" yaml:"renewal,omitempty"`           // buys the next block when the last one is used up
	ReorderAt   string   `json:"reorder_at,omitempty" yaml:"reorder_at,omitempty"`     // hours left at which somebody is told
}

// Renewal is a block that is bought by itself, once for each that is used up.
type Renewal struct {
	Hours       string          `json:"hours" yaml:"hours"`
	Price       decimal.Decimal `json:"price" yaml:"price"`
	ExpiresDays int             `json:"expires_days,omitempty" yaml:"expires_days,omitempty"` // 0: never
}

// Bucket is an allowance of hours that each period grants anew.
type Bucket struct {
	Included string `json:"included" yaml:"included"`
	Rollover string `json:"rollover,omitempty" yaml:"rollover,omitempty"` // most unused hours that go into the next period; empty: none
	First    string `json:"first,omitempty" yaml:"first,omitempty"`       // what is used first: base (default) or rolled
	Prorate  bool   `json:"prorate,omitempty" yaml:"prorate,omitempty"`   // a period partly in force grants its share
}

// UsageTerms price events: closures, actions of a ticket, devices added, …
type UsageTerms struct {
	Event      string           `json:"event" yaml:"event"`                               // closure, or the name under which the event is recorded
	Model      string           `json:"model" yaml:"model"`                               // unit, graduated, volume, package, percentage
	Price      *decimal.Decimal `json:"price,omitempty" yaml:"price,omitempty"`           // unit: of one unit; package: of one package
	Tiers      []Tier           `json:"tiers,omitempty" yaml:"tiers,omitempty"`           // graduated, volume
	Size       *decimal.Decimal `json:"size,omitempty" yaml:"size,omitempty"`             // package: units of one
	Percentage *Percentage      `json:"percentage,omitempty" yaml:"percentage,omitempty"` // percentage: of each event's value
	Free       *decimal.Decimal `json:"free,omitempty" yaml:"free,omitempty"`             // raw units of a period without charge, before any conversion
	DivideBy   *decimal.Decimal `json:"divide_by,omitempty" yaml:"divide_by,omitempty"`   // raw units of one billing unit
	Round      string           `json:"round,omitempty" yaml:"round,omitempty"`           // of the billing units of a period: no (default), up, nearest, down
	Included   *decimal.Decimal `json:"included,omitempty" yaml:"included,omitempty"`     // billing units of a period without charge, after the conversion
	Minimum    *decimal.Decimal `json:"minimum,omitempty" yaml:"minimum,omitempty"`       // billing units that a period with any use bills at least
	ZeroFlat   bool             `json:"zero_flat,omitempty" yaml:"zero_flat,omitempty"`   // a period without use bills the first tier's flat fee, at its end
}

// Tier is one step of a graduated or volume price.
type Tier struct {
	UpTo    *decimal.Decimal `json:"up_to,omitempty" yaml:"up_to,omitempty"` // inclusive; empty: without end, the last tier
	Unit    decimal.Decimal  `json:"unit,omitzero" yaml:"unit,omitempty"`    // of each unit, or of each package of Size
	Size    *decimal.Decimal `json:"size,omitempty" yaml:"size,omitempty"`   // the tier sells packages of so many units; a started one counts
	Flat    decimal.Decimal  `json:"flat,omitzero" yaml:"flat,omitempty"`    // once the tier is entered
	Percent decimal.Decimal  `json:"percent,omitzero" yaml:"percent,omitempty"`
}

// Percentage prices each event by its value.
type Percentage struct {
	Percent    decimal.Decimal  `json:"percent" yaml:"percent"`
	Fixed      decimal.Decimal  `json:"fixed,omitzero" yaml:"fixed,omitempty"`              // of each event
	Min        *decimal.Decimal `json:"min,omitempty" yaml:"min,omitempty"`                 // of each event
	Max        *decimal.Decimal `json:"max,omitempty" yaml:"max,omitempty"`                 // of each event
	FreeEvents int              `json:"free_events,omitempty" yaml:"free_events,omitempty"` // first events of a period, in order of arrival
	FreeValue  *decimal.Decimal `json:"free_value,omitempty" yaml:"free_value,omitempty"`   // value of a period without charge, in order of arrival
}

// CountTerms say where the number of devices or seats comes from.
type CountTerms struct {
	Of       string `json:"of,omitempty" yaml:"of,omitempty"`             // kind of device count; per-seat: "seat" where it is left out
	Take     string `json:"take,omitempty" yaml:"take,omitempty"`         // of a period's counts: snapshot (default) at its start, peak, average
	Floor    int    `json:"floor,omitempty" yaml:"floor,omitempty"`       // fewest that are billed
	Fixed    int    `json:"fixed,omitempty" yaml:"fixed,omitempty"`       // this many, whatever is counted
	Included int    `json:"included,omitempty" yaml:"included,omitempty"` // without charge
	Fewer    string `json:"fewer,omitempty" yaml:"fewer,omitempty"`       // fewer after billing in advance: no (default) credit, credit, or at-renewal
	Tiers    []Tier `json:"tiers,omitempty" yaml:"tiers,omitempty"`       // instead of Price
	Model    string `json:"model,omitempty" yaml:"model,omitempty"`       // of Tiers: graduated (default), volume
}

// DiscountTerms lower the amount: first by a percentage, then by a fixed amount, never below zero.
type DiscountTerms struct {
	Percent *decimal.Decimal `json:"percent,omitempty" yaml:"percent,omitempty"`
	Amount  *decimal.Decimal `json:"amount,omitempty" yaml:"amount,omitempty"` // of each charge
	Until   string           `json:"until,omitempty" yaml:"until,omitempty"`   // local service date, exclusive; empty: for good
}

// MaterialTerms price parts, licences and expenses on tickets. The first row that fits counts.
type MaterialTerms struct {
	Clause        string          `json:"clause" yaml:"clause"`
	Name          string          `json:"name" yaml:"name"`
	Kinds         []string        `json:"kinds,omitempty" yaml:"kinds,omitempty"` // part, licence, expense; empty: all
	MarkupPercent decimal.Decimal `json:"markup_percent,omitzero" yaml:"markup_percent,omitempty"`
	Covered       bool            `json:"covered,omitempty" yaml:"covered,omitempty"` // in the contract: 0.00
	TaxCategory   string          `json:"tax_category,omitempty" yaml:"tax_category,omitempty"`
	Accounting    *Accounting     `json:"accounting,omitempty" yaml:"accounting,omitempty"`
}

// Listed names the devices and users that the contract is for.
type Listed struct {
	Clause   string   `json:"clause,omitempty" yaml:"clause,omitempty"`
	Devices  []string `json:"devices,omitempty" yaml:"devices,omitempty"`
	Users    []string `json:"users,omitempty" yaml:"users,omitempty"`       // person ids of contacts
	Unlisted string   `json:"unlisted,omitempty" yaml:"unlisted,omitempty"` // of what would have been covered: ask (default), bill at the rate card, or add: a seat or device of Add's clause, once a period
	Add      string   `json:"add,omitempty" yaml:"add,omitempty"`           // clause of the per-device or per-seat line
}

// Callers names who at the client may order work that costs something.
type Callers struct {
	Clause string   `json:"clause,omitempty" yaml:"clause,omitempty"`
	People []string `json:"people" yaml:"people"`                     // person ids
	Others string   `json:"others,omitempty" yaml:"others,omitempty"` // work ordered by anybody else: hold (default) or bill
}

// Approval says when the client must agree, and who signs for it.
type Approval struct {
	Clause     string           `json:"clause,omitempty" yaml:"clause,omitempty"`
	AmountOver *decimal.Decimal `json:"amount_over,omitempty" yaml:"amount_over,omitempty"` // of a ticket's round, in the contract's currency
	TimeOver   string           `json:"time_over,omitempty" yaml:"time_over,omitempty"`     // billable time of a ticket's round
	HourlyOver *decimal.Decimal `json:"hourly_over,omitempty" yaml:"hourly_over,omitempty"` // rate of any hour, whatever the amount
	Categories []string         `json:"categories,omitempty" yaml:"categories,omitempty"`   // of tickets that always need it
	Actors     []string         `json:"actors,omitempty" yaml:"actors,omitempty"`           // human, ai: whose billed work always needs it
	Approvers  []string         `json:"approvers" yaml:"approvers"`                         // person ids
	Expires    string           `json:"expires,omitempty" yaml:"expires,omitempty"`         // "72h" by default
}

// NotToExceed is the most that a ticket's round may cost.
type NotToExceed struct {
	Clause string          `json:"clause,omitempty" yaml:"clause,omitempty"`
	Amount decimal.Decimal `json:"amount" yaml:"amount"`
	Rest   string          `json:"rest,omitempty" yaml:"rest,omitempty"` // hold (default) or write-off
}

// Project says when a ticket is a project in disguise, which a dispatcher rules on.
type Project struct {
	Clause     string           `json:"clause,omitempty" yaml:"clause,omitempty"`
	AmountOver *decimal.Decimal `json:"amount_over,omitempty" yaml:"amount_over,omitempty"`
	TimeOver   string           `json:"time_over,omitempty" yaml:"time_over,omitempty"`
	Categories []string         `json:"categories,omitempty" yaml:"categories,omitempty"`
}

// Expected is what a ticket usually comes to; one that breaks the pattern waits for a dispatcher.
type Expected struct {
	Clause     string           `json:"clause,omitempty" yaml:"clause,omitempty"`
	AmountOver *decimal.Decimal `json:"amount_over,omitempty" yaml:"amount_over,omitempty"` // of a ticket's round
	TimeOver   string           `json:"time_over,omitempty" yaml:"time_over,omitempty"`     // of a ticket's round
	Tickets    int              `json:"tickets,omitempty" yaml:"tickets,omitempty"`         // of a category in a period; more break the pattern
	Attempts   int              `json:"attempts,omitempty" yaml:"attempts,omitempty"`       // of AI agents that failed on a ticket's round; more break the pattern
	History    *History         `json:"history,omitempty" yaml:"history,omitempty"`         // what the client's own tickets of the category came to
}

// History compares a ticket with those that the client had in its category before.
type History struct {
	Times   decimal.Decimal `json:"times" yaml:"times"`                         // the usual, above which the pattern breaks, more than 1
	Days    int             `json:"days,omitempty" yaml:"days,omitempty"`       // how far back to look, 180 by default
	Tickets int             `json:"tickets,omitempty" yaml:"tickets,omitempty"` // the fewest that make a pattern, 10 by default
	Of      []string        `json:"of,omitempty" yaml:"of,omitempty"`           // time, amount, frequency; empty: all three
}

// Commitment is the least that a period bills, before credits and tax; what is missing posts at its end.
type Commitment struct {
	Clause  string          `json:"clause" yaml:"clause"`
	Name    string          `json:"name" yaml:"name"`
	Amount  decimal.Decimal `json:"amount" yaml:"amount"`
	Prorate string          `json:"prorate,omitempty" yaml:"prorate,omitempty"` // days (default) of a period in force, or no
}

// Warranty makes rework of an earlier ticket free.
type Warranty struct {
	Clause string `json:"clause,omitempty" yaml:"clause,omitempty"`
	Days   int    `json:"days" yaml:"days"` // from the first ticket's resolution
}

// SLA gives the targets by priority, in business time of the calendar.
type SLA struct {
	Calendar   string            `json:"calendar" yaml:"calendar"`                             // "24x7" or the id of a calendar
	Targets    map[int]SLATarget `json:"targets" yaml:"targets"`                               // by priority, 1 … 5
	Warn       *int              `json:"warn_percent,omitempty" yaml:"warn_percent,omitempty"` // of a target's business time, by which the assignee is warned; 75 by default, 100 never warns
	PausesOn   []string          `json:"pauses_on,omitempty" yaml:"pauses_on,omitempty"`       // waits for which the resolution's clock stands still: customer, vendor, part, approval; by default every wait that somebody declares
	Escalation *SLAEscalation    `json:"escalation,omitempty" yaml:"escalation,omitempty"`
	Credits    *SLACredits       `json:"credits,omitempty" yaml:"credits,omitempty"`
}

// SLATarget is how soon somebody answers, and how soon it is solved.
type SLATarget struct {
	Response   string `json:"response" yaml:"response"`
	Resolution string `json:"resolution" yaml:"resolution"`
	Calendar   string `json:"calendar,omitempty" yaml:"calendar,omitempty"`   // of this priority: "24x7" or the id of a calendar; the SLA's by default
	Allotment  string `json:"allotment,omitempty" yaml:"allotment,omitempty"` // business time; solved faster earns the client a credit of Credits.Fast an hour
}

// SLAEscalation says what follows a missed target until it is met after all.
type SLAEscalation struct {
	After   string `json:"after,omitempty" yaml:"after,omitempty"`     // business time from the missed target to the next person up, doubled from step to step; 1h by default
	Reroute bool   `json:"reroute,omitempty" yaml:"reroute,omitempty"` // the first step takes the ticket from its assignee, and routing finds another
}

// SLACredits are given to the client on lines of their own.
type SLACredits struct {
	Clause     string           `json:"clause" yaml:"clause"`
	Response   *decimal.Decimal `json:"response_percent,omitempty" yaml:"response_percent,omitempty"`     // of the base, for a missed response target
	Resolution *decimal.Decimal `json:"resolution_percent,omitempty" yaml:"resolution_percent,omitempty"` // of the base, for a missed resolution target
	Both       string           `json:"both,omitempty" yaml:"both,omitempty"`                             // missed: higher (default) or both
	Fast       *decimal.Decimal `json:"fast_hourly,omitempty" yaml:"fast_hourly,omitempty"`               // for each hour less than the target's allotment
	Base       string           `json:"base,omitempty" yaml:"base,omitempty"`                             // fee (default): the period's recurring lines; ticket: what the ticket costs
	Cap        *decimal.Decimal `json:"cap_percent,omitempty" yaml:"cap_percent,omitempty"`               // of the period's fee: most credit of a period
	Floor      string           `json:"floor,omitempty" yaml:"floor,omitempty"`                           // credit of one ticket is at most: fee (default), or ticket, what it costs
}
