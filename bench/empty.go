package bench

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	sdk "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/ticket"
)

// The yardstick: a workflow with the activities, messages, timers and upserts of a covered
// ticket, in the same order and of the same kind, and nothing in them.
const (
	emptyWorkflow  = "empty"
	emptyTaskQueue = "empty"
	emptyTimer     = 24 * time.Hour // as far off as an SLA deadline: it never fires
)

func nothing(context.Context) error { return nil }

// empty does nothing in the shape of workflows.Ticket. That it still has this shape is checked
// against real histories at each run, event type by event type.
func empty(ctx workflow.Context) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 3 * time.Second})
	regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	claimed, resolved := message{}, message{}
	if err := errors.Join(claimed.register(ctx, ticket.MsgClaim), resolved.register(ctx, ticket.MsgResolve)); err != nil {
		return err
	}
	for range 3 { // begin, triage, route
		if err := workflow.ExecuteLocalActivity(local, nothing).Get(ctx, nil); err != nil {
			return err
		}
	}
	stop := timer(ctx) // response due
	if err := upsert(ctx, ticket.Resolution); err != nil {
		return err
	}
	if err := claimed.await(ctx); err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, nothing).Get(ctx, nil); err != nil {
		return err
	}
	claimed.answered = true
	stop()
	stop = timer(ctx)                                      // resolution due
	if err := upsert(ctx, ticket.Resolution); err != nil { // the response is met
		return err
	}
	if err := resolved.await(ctx); err != nil {
		return err
	}
	stop()
	if err := workflow.ExecuteActivity(regular, nothing).Get(ctx, nil); err != nil { // close
		return err
	}
	resolved.answered = true
	if err := upsert(ctx, ticket.Posted); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// message is an update that the main loop answers.
type message struct{ came, answered bool }

func (m *message) register(ctx workflow.Context, name ticket.Name) error {
	return workflow.SetUpdateHandler(ctx, string(name), func(ctx workflow.Context) error {
		m.came = true
		return workflow.Await(ctx, func() bool { return m.answered })
	})
}

func (m *message) await(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return m.came })
}

func timer(ctx workflow.Context) (stop workflow.CancelFunc) {
	ctx, stop = workflow.WithCancel(ctx)
	workflow.NewTimer(ctx, emptyTimer)
	return stop
}

func upsert(ctx workflow.Context, stage ticket.Stage) error {
	return workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(ticket.AttrStage).ValueSet(string(stage)))
}

// runEmpty starts one empty workflow and sends it its messages, as the desk does for a ticket.
func runEmpty(ctx context.Context, c sdk.Client, id string) error {
	options := sdk.StartWorkflowOptions{
		ID: id, TaskQueue: emptyTaskQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword(ticket.AttrClient).ValueSet("empty")),
	}
	eager := options
	eager.EnableEagerStart = true
	if _, err := c.ExecuteWorkflow(ctx, eager, emptyWorkflow); err != nil {
		return err
	}
	for _, name := range []ticket.Name{ticket.MsgClaim, ticket.MsgResolve} {
		handle, err := c.UpdateWithStartWorkflow(ctx, sdk.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: c.NewWithStartWorkflowOperation(options, emptyWorkflow),
			UpdateOptions: sdk.UpdateWorkflowOptions{
				UpdateID: string(name), WorkflowID: id, UpdateName: string(name), WaitForStage: sdk.WorkflowUpdateStageCompleted,
			},
		})
		if err != nil {
			return err
		}
		if err := handle.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}
