package desk

import (
	"context"
	"log/slog"
	"time"

	"github.com/docket-psa/docket/ticket"
)

const (
	relayEvery = time.Second
	relayAfter = 2 * time.Second // younger rows are being started by whoever wrote them
	relayBatch = 200
	relayRest  = 30 * time.Second // at most, while Temporal does not answer

	// How long the relay waits for a ruling that it sent to come on record before it sends it again.
	rulingWithin = time.Minute
)

// Hint tells the relay that something waits. It never blocks.
func (d *Desk) Hint() {
	select {
	case d.hint <- struct{}{}:
	default:
	}
}

// Relay starts what did not start, until ctx ends. Several may run: a run that finds nothing to
// do ends at once, and only the run itself clears its outbox row.
func (d *Desk) Relay(ctx context.Context) {
	rest := relayEvery
	for {
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-d.hint:
			timer.Stop()
		case <-timer.C:
		}
		switch started, err := d.relay(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			rest = min(rest*2, relayRest)
			d.log.LogAttrs(ctx, slog.LevelWarn, "starting what waits in the outbox failed, trying again",
				slog.Duration("in", rest), slog.Any("error", err))
		default:
			rest = relayEvery
			if started > 0 {
				d.log.LogAttrs(ctx, slog.LevelInfo, "started tickets from the outbox", slog.Int("count", started))
			}
		}
	}
}

// relay makes one pass and says how many runs it started, or told that their ticket moved. It stops at the first failure: where
// Temporal refuses one start it refuses the rest, and the oldest is tried first again.
func (d *Desk) relay(ctx context.Context) (started int, err error) {
	pending, err := d.store.Pending(ctx, d.now().Add(-relayAfter), relayBatch)
	if err != nil {
		return 0, err
	}
	for _, p := range pending {
		within, cancel := context.WithTimeout(ctx, signalWithin)
		var err error
		if p.Moved {
			err = d.moved(within, p.Ticket)
		} else {
			err = d.begin(within, p.Ticket, p.Round, p.Client, p.Subject)
		}
		cancel()
		failure := ""
		if err != nil {
			failure = err.Error()
		}
		if noted := d.store.Tried(ctx, p.Ticket, p.Round, failure); err == nil {
			err = noted
		}
		if err != nil {
			return started, err
		}
		started++
	}
	return started, d.release(ctx)
}

// release rules, in the name of whoever said that a block is paid, that what waited for it bills. The store lists a hold until
// that ruling is on record, so none is lost; until then it is sent once a minute.
func (d *Desk) release(ctx context.Context) error {
	holds, err := d.store.Released(ctx, relayBatch)
	if err != nil {
		return err
	}
	now, sent := d.now(), make(map[int64]time.Time, len(holds))
	for _, h := range holds {
		if at, ok := d.ruled[h.Hold]; ok && now.Sub(at) < rulingWithin {
			sent[h.Hold] = at
			continue
		}
		m := ticket.Rule{
			Header: d.head(ticket.Header{OperationKey: h.OperationKey, Who: h.By, Via: ticket.ViaRelay}),
			Hold:   h.Hold, Action: ticket.Bill, Reason: "the block is paid",
		}
		if err := d.prove(ctx, ticket.MsgRule, m, &m.Header); err != nil {
			return err
		}
		if _, err := d.signal(ctx, h.Ticket, ticket.MsgRule, m); err != nil {
			return err
		}
		sent[h.Hold] = now
	}
	d.ruled = sent
	return nil
}
