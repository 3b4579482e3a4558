package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Desk is where the messages go.
type Desk interface {
	// Accept opens a ticket and leaves the start of its workflow to the first message.
	Accept(ctx context.Context, o ticket.Opening) (ticket.Opened, error)
	// Post sends messages in their order, and waits for no answer.
	Post(ctx context.Context, id ticket.ID, messages ...ticket.Message) error
	Resolve(ctx context.Context, id ticket.ID, m ticket.Resolve) (billing.Receipt, error)
	Reopen(ctx context.Context, id ticket.ID, m ticket.Reopen) (ticket.Answer, error)
	Note(ctx context.Context, id ticket.ID, h ticket.Header, body string, public bool) (int64, error)
}

// Record is where it is read what became of them.
type Record interface {
	Timeline(ctx context.Context, id ticket.ID) ([]ticket.Moment, error)
	Standing(ctx context.Context) (billing.Standing, error)
}

// Options of Run.
type Options struct {
	Desk   Desk
	Record Record
	Cast   Cast
	Now    func() time.Time

	Limit       int // incidents; 0: all
	Concurrency int // incidents at a time; 0: 16
	// Unavailable says that an error is a want of an answer: the same is tried again.
	Unavailable func(error) bool
	// Patience is how long nothing at all may be answered before Run gives up; 0: ten minutes.
	Patience time.Duration
	// Progress hears of every incident that has been told. It must not block.
	Progress func(done int)
	// Trouble hears that something does not answer and is tried again.
	Trouble func(err error, in time.Duration)
}

const (
	atATime  = 16
	patience = 10 * time.Minute
	tooMany  = 20 // incidents that failed: something is wrong with more than them
)

// Run tells the whole log, several incidents at a time, each one's messages in order. Run again,
// it goes on where it was, and what has been told has no second effect.
//
// Incidents that fail for other reasons than a want of an answer are named in the error; the
// others are told all the same, and the result counts them.
func Run(ctx context.Context, file io.Reader, o Options) (Result, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = atATime
	}
	if o.Patience <= 0 {
		o.Patience = patience
	}
	began := o.Now()
	log, err := Read(file, began)
	if err != nil {
		return Result{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Options: o, stop: stop, answeredAt: began, tally: newTally()}

	incidents := make(chan Incident)
	var tellers sync.WaitGroup
	for range o.Concurrency {
		tellers.Go(func() {
			for in := range incidents {
				r.incident(ctx, in)
			}
		})
	}
	err = feed(ctx, log, o.Limit, incidents)
	close(incidents)
	tellers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}

	result := r.tally.result()
	result.Rows, result.Unreadable = log.Rows, log.Faults
	if err == nil {
		err = errors.Join(r.failures...)
	}
	if standing, failed := o.Record.Standing(context.WithoutCancel(ctx)); failed == nil {
		result.Standing = standing
		result.Waiting, result.Exceptions, result.Leaked = standing.Waiting, standing.Exceptions, standing.Leaked
	} else {
		err = errors.Join(err, failed)
	}
	result.ElapsedMS = o.Now().Sub(began).Milliseconds()
	return result, err
}

// feed hands out incidents until the log, the limit or ctx ends.
func feed(ctx context.Context, log *Log, limit int, to chan<- Incident) error {
	for n := 0; limit == 0 || n < limit; n++ {
		in, err := log.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case to <- in:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// run is one telling of a log.
type run struct {
	Options
	stop  context.CancelCauseFunc
	tally *tally

	mu         sync.Mutex
	done       int
	failures   []error
	answeredAt time.Time // when an incident was last told to its end
}

// incident tells one incident, for as long as it takes.
func (r *run) incident(ctx context.Context, in Incident) {
	story := Tell(in, r.Cast)
	before, again := false, false // what a second try finds may be of the first
	for pause := 200 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 10*time.Second) {
		told, err := r.tell(ctx, story)
		before = before || (told.before && !again)
		again = true
		switch {
		case err == nil:
			told.before = before
			r.tally.add(story, told)
			r.finished(nil)
			return
		case ctx.Err() != nil:
			return
		case !errors.Is(err, errUnread) && (r.Unavailable == nil || !r.Unavailable(err)):
			r.finished(fmt.Errorf("incident %s: %w", in.Number, err))
			return
		case r.impatient():
			r.stop(fmt.Errorf("nothing has been answered for %s, at incident %s; run it again, it goes on from here: %w", r.Patience, in.Number, err))
			return
		}
		if r.Trouble != nil {
			r.Trouble(err, pause)
		}
		rest(ctx, pause)
	}
}

func (r *run) finished(failure error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if failure == nil {
		r.answeredAt = r.Now()
	} else {
		r.failures = append(r.failures, failure)
		if len(r.failures) == tooMany {
			r.stop(fmt.Errorf("%d incidents failed: %w", tooMany, errors.Join(r.failures...)))
		}
	}
	if r.Progress != nil {
		r.Progress(r.done)
	}
}

func (r *run) impatient() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Now().Sub(r.answeredAt) > r.Patience
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
