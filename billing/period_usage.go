package billing

import "time"

// UsageFacts are all that DecideUsage may know about one event outside tickets. They are stored with it as canonical JSON.
type UsageFacts struct {
	Rules     int       `json:"rules"`
	Client    string    `json:"client"`
	Currency  string    `json:"currency"` // the client's own
	Event     Event     `json:"event"`
	At        time.Time `json:"at"`        // noon of the event's date where the client is: which versions are in force
	Contracts []Version `json:"contracts"` // every version in force at that time
	Counters  []Counter `json:"counters,omitempty"`
}

// DecideUsage prices an event outside tickets by the usage line that speaks of it, by the same rules as one on a ticket:
// what the period's use costs more with it. Lines that speak of some tickets only do not speak of it. A hold means that a
// person must decide, for which there is no ticket to ask on; no charge means that no line speaks of it.
func DecideUsage(f UsageFacts) (Decision, error) {
	d, err := f.begin()
	if err != nil {
		return Decision{}, err
	}
	return d.usage()
}

// WantUsage names the counters that DecideUsage reads, sorted.
func WantUsage(f UsageFacts) []string {
	f.Counters = nil
	d, err := f.begin()
	if err != nil {
		return nil // DecideUsage refuses the same facts with the same error
	}
	d.asked = &Wants{}
	if _, err := d.usage(); err != nil {
		return nil // as above
	}
	return sorted(d.asked.Counters)
}

// begin stands the event on a ticket without work, without an id but its date, that closes nothing.
func (f UsageFacts) begin() (*decider, error) {
	return begin(Facts{
		Rules: f.Rules, Contracts: f.Contracts, Counters: f.Counters, Events: []Event{f.Event},
		Ticket: Ticket{
			ID: f.Event.Date, Client: f.Client, Currency: f.Currency, ResolvedAt: f.At, ResolvedOn: f.Event.Date, ResolvedKind: kindHuman, Code: codeSilent,
		},
	})
}

func (d *decider) usage() (Decision, error) {
	d.chargeEvents()
	for i := range d.slots {
		d.price(d.slots[i])
	}
	d.capLines()
	d.countOrders()
	out := Decision{Rules: d.facts.Rules, Charges: []Charge{}, Holds: d.exceptions()}
	for _, s := range d.slots {
		if s.reason == "" {
			out.Charges = append(out.Charges, s.charge)
		}
	}
	return out, d.err
}
