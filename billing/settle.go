package billing

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Action is what a person decided about a hold.
type Action string

// The actions. Sending back to resolution posts nothing, so it is none of them; rating under another
// contract posts what Decide says under Facts.Rerating.
const (
	Approve   Action = "approve"   // the client agreed: post the quote
	Bill      Action = "bill"      // a dispatcher: post the quote, or the time at the ruling's rate
	Cover     Action = "cover"     // a dispatcher: the contract covers it after all
	WriteOff  Action = "write-off" // a dispatcher: we bear it
	ToProject Action = "project"   // a dispatcher: as billing, against the project's budget
	Split     Action = "split"     // a dispatcher: bill a part, cover or write off the rest
	ReRate    Action = "contract"  // a dispatcher: rate it under another contract
)

// Ruling is a person's word about one hold.
type Ruling struct {
	Action      Action
	By          string // person id
	ConfirmedBy string // person id of who had to agree, if somebody had to
	Reason      string
	Hourly      *decimal.Decimal // with Bill and ToProject on an unrated hold: per hour; of the ticket or of a piece where the charge is one
	Project     string           // with ToProject: id
	Part        Part             // with Split: what bills
}

// ErrNoRate says that an unrated hold cannot be billed without the ruling's rate.
var ErrNoRate = errors.New("nobody has said at what rate")

// Settle gives the charges that post when a person has decided about a hold, with the
// keys that they have in it. Approved and billed charges post as quoted, with their draws
// and counts; covered and written-off ones post at zero and give both back. Charges
// without a rate are billed at the ruling's: ErrNoRate where it has none. What has not been
// counted against its purchase order or its project yet, because it had no amount or did not fit, counts now.
func Settle(h Hold, r Ruling) ([]Charge, error) {
	if err := r.fits(h); err != nil {
		return nil, fmt.Errorf("settle %s: %w", h.Key, err)
	}
	if r.Action == Split {
		return h.split(r)
	}
	charges := make([]Charge, 0, len(h.Charges))
	for _, c := range h.Charges {
		c.Steps = append(slices.Clone(c.Steps), r.step())
		if r.Action == ToProject {
			c = c.toProject(r.Project)
		}
		switch {
		case r.Action == Cover:
			lowers := c.lowers()
			c = c.waived(Covered, "covered")
			c.Hidden = c.Hidden || lowers
		case r.Action == WriteOff:
			c = c.waived(WrittenOff, "written off")
			c.Hidden = true
		case c.Unrated:
			var err error
			if c, err = c.ratedAt(*r.Hourly); err != nil {
				return nil, fmt.Errorf("settle %s: charge %s: %w", h.Key, c.Key, err)
			}
			c = c.counted()
		default:
			c = c.counted()
		}
		charges = append(charges, c)
	}
	return charges, nil
}

// priced tells what an unrated hold needs the price of.
func (h Hold) priced() string {
	for _, c := range h.Charges {
		switch {
		case c.Unrated && c.Unit == UnitTicket:
			return "the ticket"
		case c.Unrated && c.Unit == UnitPiece:
			return "one of them"
		}
	}
	return "an hour"
}

// fits says whether the action can decide this hold.
func (r Ruling) fits(h Hold) error {
	switch r.Action {
	case Approve:
		if h.Kind != SignOff {
			return errors.New("approve is for a sign-off; an exception is billed, covered or written off")
		}
	case Bill:
		if h.Kind != Exception {
			return errors.New("bill is for an exception; a sign-off needs the client's word")
		}
	case ToProject:
		if h.Kind != Exception {
			return errors.New("a project is for an exception; a sign-off needs the client's word")
		}
		if r.Project == "" {
			return errors.New("project: it names none")
		}
	case Split:
		if h.Kind != Exception {
			return errors.New("split is for an exception; a sign-off needs the client's word")
		}
		return nil
	case Cover, WriteOff:
		return nil
	default:
		return fmt.Errorf("action %q is not known: approve, bill, cover, write-off, project or split", r.Action)
	}
	if !slices.ContainsFunc(h.Charges, func(c Charge) bool { return c.Unrated }) {
		return nil
	}
	switch {
	case r.Hourly == nil:
		return fmt.Errorf("hourly: %w: give the price of %s, like 150.00", ErrNoRate, h.priced())
	case r.Hourly.IsNegative() || r.Hourly.GreaterThan(maxPrice) || r.Hourly.Exponent() < -9:
		return fmt.Errorf("hourly: %s is no rate: give one from 0 to 1000000000 with at most 9 decimals", r.Hourly)
	}
	return nil
}

func (r Ruling) step() Step {
	args := []Arg{{"action", string(r.Action)}, {"by", r.By}, {"reason", r.Reason}}
	if r.Hourly != nil {
		args = append(args, Arg{"hourly", r.Hourly.String()})
	}
	if r.Project != "" {
		args = append(args, Arg{"project", r.Project})
	}
	if r.ConfirmedBy != "" {
		args = append(args, Arg{"confirmed_by", r.ConfirmedBy})
	}
	return Step{Rule: ruleRuling, Args: append(args, r.Part.args()...)}
}

// RulingOf reads by whose word a settled charge was settled: the last one counts.
func RulingOf(c Charge) Ruling {
	var r Ruling
	for _, s := range c.Steps {
		switch s.Rule {
		case ruleRerated:
			r = Ruling{Action: ReRate, By: s.get("by"), ConfirmedBy: s.get("confirmed_by"), Reason: s.get("reason")}
			continue
		case ruleRuling:
		default:
			continue
		}
		r = Ruling{
			Action: Action(s.get("action")), By: s.get("by"), ConfirmedBy: s.get("confirmed_by"), Reason: s.get("reason"),
			Project: s.get("project"), Part: partOf(s),
		}
		if hourly, err := decimal.NewFromString(s.get("hourly")); err == nil {
			r.Hourly = &hourly
		}
	}
	return r
}

// waived gives the charge at zero, without its draws and counts.
func (c Charge) waived(kind ChargeKind, how string) Charge {
	what, _, _ := strings.Cut(c.Text, textSep)
	c.Kind, c.Text = kind, what+textSep+how
	c.Rate, c.Exact, c.Amount = decimal.Zero, decimal.Zero, decimal.Zero
	c.Draws, c.Counts, c.Unrated = nil, nil, false
	return c
}

// lowers says whether the charge only lowers others: with nothing to lower, there is nothing to show.
func (c Charge) lowers() bool { return c.Kind == Discount || c.Kind == FromRetainer }

// ratedAt prices a charge that had no rate, rounded half up: no contract gave the price.
func (c Charge) ratedAt(rate decimal.Decimal) (Charge, error) {
	places, known := MinorUnits(c.Currency)
	if !known {
		return c, fmt.Errorf("currency: no contract and no client says in what money %s is", c.Currency)
	}
	c.Rate, c.Unrated = rate, false
	switch c.Unit {
	case UnitTicket:
		c.Exact, c.Amount = rate, HalfUp.round(rate, one, places)
	case UnitPiece:
		exact := c.Quantity.Mul(rate)
		c.Exact, c.Amount = exact.Round(exactPlaces), HalfUp.round(exact, one, places)
	default:
		c.Exact, c.Amount = HalfUp.price(milliseconds(c.Quantity, c.Unit), rate, places)
	}
	c.Steps = append(c.Steps, Step{Rule: ruleRound, Args: []Arg{
		{"exact", c.Exact.String()}, {"amount", c.Amount.String()}, {"places", strconv.Itoa(int(places))},
	}})
	return c, nil
}

// Decline turns a sign-off that the client refused into the dispatcher's exception. The
// charges stay as quoted, with what they reserve; patience is how long it waits before it
// escalates (Terms.Patience).
func Decline(h Hold, by, reason string, patience time.Duration) Hold {
	h.Key = string(Exception) + "/" + string(Declined) + "/" + h.Contract
	h.Kind, h.Reason = Exception, Declined
	h.Says = by + " declined " + money(h.Amount, h.Currency) + ": " + reason
	h.Approvers, h.Patience = nil, patience.Milliseconds()
	h.Digest = h.digest()
	return h
}
