package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// DeviceCounting is a count of a client's devices or seats, and who says so.
type DeviceCounting struct {
	Client  string        `json:"client"`
	Kind    string        `json:"kind"`
	On      sla.LocalDate `json:"on"`
	Devices int           `json:"devices"`
	Who     string        `json:"who"`
	Via     string        `json:"via"`
}

// DeviceCounted is what a count came to.
type DeviceCounted struct {
	DeviceCounting
	Before int           `json:"before"`          // the last count of an earlier day
	Added  *UsageReceipt `json:"added,omitempty"` // what the added ones cost, where a usage line prices adding them
}

// RecordCount stores a count, and where it is higher than that of the last earlier day records the added ones as an event
// outside tickets: KIND-added or device-added, whichever a usage line of the client speaks of. The same count again adds
// nothing; fewer, on the same day, do not take back what was added.
func (s *Store) RecordCount(ctx context.Context, c DeviceCounting) (counted DeviceCounted, err error) {
	if err := s.mayRecord(ctx, c.Who); err != nil {
		return counted, err
	}
	if err := s.CountDevices(ctx, c.Client, c.Kind, c.On, c.Devices); err != nil {
		return counted, err
	}
	counted.DeviceCounting = c
	// What this day has added already, by an earlier count of it, is in its operation keys.
	day := fmt.Sprintf("count/%s/%s/%s/", c.Client, c.Kind, c.On)
	var (
		added decimal.Decimal
		known bool
	)
	if err := s.pool.QueryRow(ctx, `
select coalesce((select devices from device_counts where client_id = $1 and kind = $2 and counted_on < $3::text::date order by counted_on desc limit 1), 0),
  exists (select from device_counts where client_id = $1 and kind = $2 and counted_on < $3::text::date),
  coalesce((select sum(quantity) from usage_events where client_id = $1 and starts_with(operation_key, $4) and operation_key <> $5), 0)`,
		c.Client, c.Kind, c.On.String(), day, day+fmt.Sprint(c.Devices)).Scan(&counted.Before, &known, &added); err != nil {
		return counted, fmt.Errorf("read the counts of %s: %w", c.Client, err)
	}
	more := decimal.NewFromInt(int64(c.Devices - counted.Before)).Sub(added)
	if !known || !more.IsPositive() { // the first count is what the contract began with
		return counted, nil
	}
	name, err := s.addedEvent(ctx, c)
	if err != nil || name == "" {
		return counted, err
	}
	receipt, err := s.RecordUsage(ctx, UsageEvent{
		OperationKey: day + fmt.Sprint(c.Devices), Client: c.Client, Event: name, Quantity: more, On: c.On.String(), Who: c.Who, Via: c.Via,
	})
	switch {
	case len(ticket.Problems(err)) > 0: // what is counted stays counted
		return counted, errors.Join(ticket.Invalid("kind", c.Kind, "is counted, and what was added is not billed", "record it: docket usage record --event "+name), err)
	case err != nil: // the same count again bills it
		return counted, err
	}
	counted.Added = &receipt
	return counted, nil
}

// addedEvent names the event under which a contract of the client prices what is added; "" where none does.
func (s *Store) addedEvent(ctx context.Context, c DeviceCounting) (string, error) {
	agreements, err := s.agreements(ctx, s.pool, c.Client, "")
	if err != nil {
		return "", err
	}
	on := c.On.String()
	for _, name := range []string{c.Kind + "-added", "device-added"} {
		for i := range agreements {
			for _, v := range agreements[i].versions {
				if v.From <= on && (v.Until == "" || on < v.Until) && prices(v.Terms, name) {
					return name, nil
				}
			}
		}
	}
	return "", nil
}

func prices(t *billing.Terms, event string) bool {
	for _, l := range t.Contract().Lines {
		if l.Usage != nil && l.Usage.Event == event {
			return true
		}
	}
	return false
}
