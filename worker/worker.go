// Package worker owns how a process takes part in the work: which workflows and activities it
// runs, how many at once, what it logs and measures, and how it stops.
// It does not own what they do.
package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// Deps is what the activities need of the world.
type Deps struct {
	Desk   activities.Desk
	Ledger activities.Ledger
	// Periods is where billing periods open and close; nil: this process does not, and makes no schedule for it.
	Periods activities.Periods

	// Reminders is where payers are reminded of what is overdue; nil: not by this process, and it makes no schedule for it.
	Reminders activities.Reminders

	// Months is where months are closed; Render makes the files of an invoice, and RenderNote those of a credit note; nil: not by this process.
	Months     activities.Months
	Render     activities.Renderer
	RenderNote activities.Renderer

	Unscheduled func(error) // hears why there is no schedule yet; it is tried again; nil: nobody hears
	TaskQueue   string      // empty: ticket.TaskQueue
	Identity    string      // shown in the Temporal UI; empty: the SDK's, process and host
}

// Limits of one process. A ticket's work is short transactions, so the database's connections
// are the limit, not memory. Pollers are as many as bring one to each of the four partitions that a
// Temporal server makes of a task queue unless told otherwise: the backlog of a partition without
// one waits for up to a minute after a restart.
const (
	workflowTasks   = 200
	regularDeeds    = 64
	localWrites     = 64
	workflowPollers = 8 // half of them on the sticky queue
	activityPollers = 4 // most closings start eagerly, unpolled
	stopWithin      = 20 * time.Second
)

// Options gives the settings of a ticket worker.
func Options(deps Deps) sdkworker.Options {
	return sdkworker.Options{
		Identity:                                deps.Identity,
		MaxConcurrentWorkflowTaskExecutionSize:  workflowTasks,
		MaxConcurrentActivityExecutionSize:      regularDeeds,
		MaxConcurrentLocalActivityExecutionSize: localWrites,
		MaxConcurrentWorkflowTaskPollers:        workflowPollers,
		MaxConcurrentActivityTaskPollers:        activityPollers,
		WorkerStopTimeout:                       stopWithin,
		Interceptors:                            []interceptor.WorkerInterceptor{&logFields{}},
	}
}

// New builds the worker with everything registered. It starts nothing.
func New(c client.Client, deps Deps) sdkworker.Worker { return build(c, deps, Options(deps)) }

// Register puts the workflow and the activities on a registry under the names that histories
// and starters know.
func Register(r sdkworker.Registry, deps Deps) {
	r.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: ticket.WorkflowType})
	r.RegisterActivity(activities.New(deps.Desk, deps.Ledger))
	if deps.Periods != nil {
		r.RegisterWorkflowWithOptions(workflows.Periods, workflow.RegisterOptions{Name: workflows.PeriodsType})
		r.RegisterActivity(activities.NewPeriods(deps.Periods))
	}
	if deps.Reminders != nil {
		r.RegisterWorkflowWithOptions(workflows.Reminders, workflow.RegisterOptions{Name: workflows.RemindersType})
		r.RegisterActivity(activities.NewReminders(deps.Reminders))
	}
	if deps.Months != nil {
		r.RegisterWorkflowWithOptions(workflows.Month, workflow.RegisterOptions{Name: workflows.MonthType})
		r.RegisterActivity(activities.NewMonths(deps.Months, deps.Render, deps.RenderNote))
	}
}

// Run works until ctx ends, then takes no new tasks and lets what runs finish, up to 20
// seconds. What does not finish is done again elsewhere: every effect is single by its key.
// It returns an error when the worker cannot start, or meets an error that no retry heals,
// such as a namespace that does not exist.
func Run(ctx context.Context, c client.Client, deps Deps) error {
	fatal := make(chan error, 1)
	options := Options(deps)
	options.OnFatalError = func(err error) {
		select {
		case fatal <- err:
		default: // one is enough to stop
		}
	}
	w := build(c, deps, options)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker on task queue %q: %w", deps.queue(), err)
	}
	defer w.Stop()
	if len(deps.schedules()) > 0 {
		scheduling, cancel := context.WithCancel(ctx)
		var done sync.WaitGroup
		done.Go(func() { keepSchedules(scheduling, c, deps) })
		defer func() {
			cancel()
			done.Wait()
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("work on task queue %q: %w", deps.queue(), err)
	}
}

func build(c client.Client, deps Deps, options sdkworker.Options) sdkworker.Worker {
	w := sdkworker.New(c, deps.queue(), options)
	Register(w, deps)
	return w
}

func (d Deps) warn(err error) {
	if d.Unscheduled != nil {
		d.Unscheduled(err)
	}
}

func (d Deps) queue() string {
	if d.TaskQueue != "" {
		return d.TaskQueue
	}
	return ticket.TaskQueue
}
