package desk

import (
	"context"
	"log/slog"
	"time"
)

const (
	relayEvery = time.Second
	relayAfter = 2 * time.Second // younger rows are being started by whoever wrote them
	relayBatch = 200
	relayRest  = 30 * time.Second // at most, while Temporal does not answer
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

// relay makes one pass and says how many runs it started. It stops at the first failure: where
// Temporal refuses one start it refuses the rest, and the oldest is tried first again.
func (d *Desk) relay(ctx context.Context) (started int, err error) {
	pending, err := d.store.Pending(ctx, d.now().Add(-relayAfter), relayBatch)
	if err != nil {
		return 0, err
	}
	for _, p := range pending {
		within, cancel := context.WithTimeout(ctx, signalWithin)
		err := d.begin(within, p.Ticket, p.Round, p.Client, p.Subject)
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
	return started, nil
}
