// Package notify owns turning a row of the outbox of notices into a message, and delivering it: the words, the signed
// link, quiet hours, SMTP, Standard Webhooks, and when to try again.
// It does not own who hears of what (postgres/notices.go), nor what a person's answer does (desk).
//
// A notice is claimed under a lease, handed over, and marked. A process that dies after the mail server or the endpoint
// took it and before the mark leaves a notice that is handed over again: each carries the same Message-ID or webhook-id
// every time, by which a receiver can drop the repetition. Nothing can do better between two systems without a common
// transaction.
package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/ticket"
)

const (
	every    = time.Second      // how often a courier looks for what is due
	rest     = 30 * time.Second // at most, while the database does not answer
	leased   = 2 * time.Minute  // how long a try has its notices
	margin   = 20 * time.Second // of it, for the marks
	perRound = 20
	markIn   = 5 * time.Second
)

// waits are how long after its nth try a notice is tried again: two and a half days in all. After the last it is dead.
var waits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
	2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour,
}

// Tries is how often a notice is tried at most.
var Tries = len(waits) + 1

// Outbox is where notices wait.
type Outbox interface {
	// ClaimNotices takes notices of the channel that are due, under a lease of that length and name.
	ClaimNotices(ctx context.Context, channel, lease string, keep time.Duration, limit int) ([]ticket.Claimed, error)
	// EndNotice notes what became of a try; a try whose lease another has by now changes nothing.
	EndNotice(ctx context.Context, n ticket.Claimed, end ticket.NoticeEnd) error
}

// Sender delivers through one channel.
type Sender interface {
	Channel() string
	// Deliver hands each notice over and tells at once what became of it: nil where it was taken, a Refused where no
	// later try can do better. One that it does not come to is told of not at all.
	Deliver(ctx context.Context, notices []ticket.Claimed, tell func(ticket.Claimed, error))
}

// Refused is a refusal for good.
type Refused struct{ Why error }

func (r *Refused) Error() string { return r.Why.Error() }
func (r *Refused) Unwrap() error { return r.Why }

// Homeless is a notice that has nowhere to go.
type Homeless struct{ Why string }

func (h *Homeless) Error() string { return h.Why }

// Courier delivers what waits. Any number may run, in one process or in many.
type Courier struct {
	Outbox  Outbox
	Senders []Sender
	Now     func() time.Time
	Log     *slog.Logger
}

// Run delivers until ctx ends.
func (c *Courier) Run(ctx context.Context) {
	var group errgroup.Group
	for _, s := range c.Senders {
		group.Go(func() error {
			c.serve(ctx, s)
			return nil
		})
	}
	_ = group.Wait() // none fails: each tries until ctx ends
}

// serve keeps one channel going. Channels do not wait for each other.
func (c *Courier) serve(ctx context.Context, s Sender) {
	pause := every
	for {
		n, err := c.Round(ctx, s)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			pause = min(pause*2, rest)
			c.Log.LogAttrs(ctx, slog.LevelWarn, "delivering notices failed, trying again",
				slog.String("channel", s.Channel()), slog.Duration("in", pause), slog.Any("error", err))
		case n == perRound:
			continue // there may be more
		default:
			pause = every
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Round claims what is due in the sender's channel and delivers it; it gives how many it claimed.
func (c *Courier) Round(ctx context.Context, s Sender) (int, error) {
	claimed, err := c.Outbox.ClaimNotices(ctx, s.Channel(), rand.Text(), leased, perRound)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	var (
		errs []error
		due  []ticket.Claimed
	)
	for _, n := range claimed {
		switch until := c.disturbs(n); {
		case n.Moot != "":
			errs = append(errs, c.end(ctx, n, ticket.NoticeEnd{State: ticket.NoticeMoot, Why: n.Moot}))
		case !until.IsZero():
			errs = append(errs, c.end(ctx, n, ticket.NoticeEnd{State: ticket.NoticeWaiting, Again: until}))
		default:
			due = append(due, n)
		}
	}
	told := map[int64]bool{}
	within, cancel := context.WithTimeout(ctx, leased-margin)
	defer cancel()
	if len(due) > 0 {
		s.Deliver(within, due, func(n ticket.Claimed, failure error) {
			told[n.ID] = true
			errs = append(errs, c.end(ctx, n, c.became(ctx, n, failure)))
		})
	}
	for _, n := range due {
		if !told[n.ID] { // given back: nobody has tried it
			errs = append(errs, c.end(ctx, n, ticket.NoticeEnd{State: ticket.NoticeWaiting, Again: c.Now(), Why: n.LastError}))
		}
	}
	return len(claimed), errors.Join(errs...)
}

// disturbs is when the quiet hours of the recipient end; zero where it may go out now.
func (c *Courier) disturbs(n ticket.Claimed) time.Time {
	if n.Quiet == nil || n.Urgent || n.Channel != ticket.ByMail {
		return time.Time{}
	}
	now := c.Now()
	until, err := QuietUntil(*n.Quiet, now)
	if err != nil { // hours that cannot be read keep nobody from hearing
		c.Log.Warn("quiet hours cannot be read", "person", n.Recipient, "error", err)
		return time.Time{}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

func (c *Courier) became(ctx context.Context, n ticket.Claimed, failure error) ticket.NoticeEnd {
	var (
		refused  *Refused
		homeless *Homeless
	)
	switch {
	case failure == nil:
		return ticket.NoticeEnd{State: ticket.NoticeSent, Tried: true}
	case errors.As(failure, &homeless):
		return ticket.NoticeEnd{State: ticket.NoticeUndeliverable, Why: homeless.Why}
	case ctx.Err() != nil: // we stop: whether it was taken is not known
		return ticket.NoticeEnd{State: ticket.NoticeWaiting, Again: c.Now(), Why: "stopped while it was handed over"}
	case errors.As(failure, &refused), n.Tries >= Tries:
		c.Log.LogAttrs(ctx, slog.LevelError, "a notice is given up", slog.Int64("notice", n.ID), slog.Int("tries", n.Tries), slog.Any("error", failure))
		return ticket.NoticeEnd{State: ticket.NoticeDead, Why: failure.Error(), Tried: true}
	}
	again := c.Now().Add(waits[min(max(n.Tries, 1), len(waits))-1])
	return ticket.NoticeEnd{State: ticket.NoticeWaiting, Why: failure.Error(), Again: again, Tried: true}
}

// end marks what became of a try, also while the process stops.
func (c *Courier) end(ctx context.Context, n ticket.Claimed, end ticket.NoticeEnd) error {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), markIn)
	defer cancel()
	return c.Outbox.EndNotice(within, n, end)
}

// identity names a notice to receivers, the same at every try: of a database that is made anew, too.
func identity(n ticket.Claimed) string {
	return fmt.Sprintf("notice_%d_%d", n.ID, n.CreatedAt.UnixMicro())
}
