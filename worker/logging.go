package worker

import (
	"context"
	"strings"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"
)

// logFields puts the ticket's id on every line that its workflow or an activity of it logs.
// The SDK adds workflow, run, activity and attempt; Instrument adds the trace.
type logFields struct {
	interceptor.WorkerInterceptorBase
}

func (f *logFields) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &workflowInbound{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

func (f *logFields) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &activityInbound{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type workflowInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *workflowInbound) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&workflowOutbound{interceptor.WorkflowOutboundInterceptorBase{Next: out}})
}

type workflowOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *workflowOutbound) GetLogger(ctx workflow.Context) log.Logger {
	return withTicket(o.Next.GetLogger(ctx), workflow.GetInfo(ctx).WorkflowExecution.ID)
}

type activityInbound struct {
	interceptor.ActivityInboundInterceptorBase
}

func (i *activityInbound) Init(out interceptor.ActivityOutboundInterceptor) error {
	return i.Next.Init(&activityOutbound{interceptor.ActivityOutboundInterceptorBase{Next: out}})
}

type activityOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
}

func (o *activityOutbound) GetLogger(ctx context.Context) log.Logger {
	return withTicket(o.Next.GetLogger(ctx), activity.GetInfo(ctx).WorkflowExecution.ID)
}

func withTicket(logger log.Logger, workflowID string) log.Logger {
	if id, ok := strings.CutPrefix(workflowID, "ticket/"); ok {
		return log.With(logger, "ticket", id)
	}
	return logger
}
