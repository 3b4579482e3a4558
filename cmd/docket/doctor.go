package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/internal/devserver"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const checkWithin = 5 * time.Second

// finding is what one check found.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Says  string `json:"says"`
	Fix   string `json:"fix,omitempty"`

	Severity string `json:"severity,omitempty"` // critical, warning, notice
	Owner    string `json:"owner,omitempty"`    // whose turn it is
}

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check everything Docket needs, and say what to do about what is missing",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := a.examine(cmd.Context())
			err := list(a, findings, "",
				text("", func(f finding) string { return verdict(f) }),
				text("CHECK", func(f finding) string { return f.Check }),
				text("FOUND", func(f finding) string { return short(oneLine(f.Says), 100) }),
				text("DO", func(f finding) string { return f.Fix }),
			)
			for _, f := range findings {
				if err == nil && !f.OK {
					err = errFound
				}
			}
			return err
		},
	}
}

func verdict(f finding) string {
	switch {
	case f.Severity != "":
		return f.Severity
	case f.OK:
		return "ok"
	}
	return "missing"
}

// examine runs the checks in the order in which things depend on each other.
func (a *app) examine(ctx context.Context) []finding {
	p, err := a.find()
	findings := []finding{found("addresses", err, "of PostgreSQL, and of Temporal: "+p.temporal.HostPort, "docket up, or set DATABASE_URL and TEMPORAL_ADDRESS")}
	if err != nil {
		binary, err := devserver.Find(a.env)
		return append(findings, found("Temporal server's binary", err, binary, "make build"))
	}
	within, cancel := context.WithTimeout(ctx, checkWithin)
	s, err := a.connect(within, p, 2)
	cancel()
	findings = append(findings, found("PostgreSQL", err, "answers as docket_staff", "start it, check DATABASE_URL, run docket migrate"))
	if err != nil {
		return findings
	}
	a.session = s
	return append(append(findings, a.examineBooks(ctx, s)...), a.examineTemporal(ctx, s)...)
}

func found(check string, err error, says, fix string) finding {
	if err != nil {
		return finding{Check: check, Says: err.Error(), Fix: fix}
	}
	return finding{Check: check, OK: true, Says: says}
}

// examineBooks looks at what only the database knows: what stands still, runs out, is set wrongly.
func (a *app) examineBooks(ctx context.Context, s *session) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	standing, err := s.store.Standing(ctx)
	findings := []finding{found("schema", err, count(standing.Open, "ticket")+fmt.Sprintf(" open, %d closed", standing.Closed), "docket migrate")}
	if err != nil {
		return findings
	}
	leaks := found("nothing leaked", nil, "every millisecond of closed work is accounted for", "")
	if standing.Leaked > 0 {
		leaks = finding{Check: "nothing leaked", Says: count(standing.Leaked, "ticket"), Fix: "docket audit"}
	}
	findings = append(findings, leaks)
	looked, err := s.store.Doctor(ctx, postgres.Patience{})
	if err != nil {
		return append(findings, found("the desk", err, "", ""))
	}
	for _, f := range looked {
		says := f.Why
		if f.AgeMS > 0 {
			says += " (for " + lasting(f.AgeMS) + ")"
		}
		findings = append(findings, finding{Check: f.What, OK: f.Severity == postgres.Notice, Says: says, Fix: f.Do, Owner: f.Owner, Severity: string(f.Severity)})
	}
	return findings
}

// examineTemporal looks at the server, its namespace, who works for it, and whether what it is to start by itself can be done.
func (a *app) examineTemporal(ctx context.Context, s *session) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	namespace := s.places.temporal.Namespace
	_, err := s.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	findings := []finding{found("Temporal", err, s.places.temporal.HostPort+" answers", "start it, check TEMPORAL_ADDRESS")}
	if err != nil {
		return findings
	}
	attributes, err := s.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	findings = append(findings, found("namespace "+namespace, err, "is there", "temporal operator namespace create -n "+namespace))
	if err != nil {
		return findings
	}
	registered := finding{Check: "search attributes", OK: true, Says: "registered"}
	for name, kind := range searchAttributes {
		if _, ok := attributes.CustomAttributes[name]; !ok {
			registered = finding{
				Check: "search attributes", Says: name + " is missing",
				Fix: fmt.Sprintf("temporal operator search-attribute create -n %s --name %s --type %s", namespace, name, kind),
			}
		}
	}
	findings = append(findings, registered)
	queue, err := s.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: namespace, TaskQueue: &taskqueue.TaskQueue{Name: ticket.TaskQueue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	workers := found("workers", err, fmt.Sprintf("%d on task queue %s", len(queue.GetPollers()), ticket.TaskQueue), "")
	if err == nil && len(queue.GetPollers()) == 0 {
		workers = finding{Check: "workers", Says: "none on task queue " + ticket.TaskQueue, Fix: "docket work"}
	}
	return append(findings, workers, a.examineMonths(ctx, s))
}

// searchAttributes are the workflows' own, name to type, as ticket declares them.
var searchAttributes = map[string]string{
	ticket.AttrStage:      "Keyword",
	ticket.AttrClient:     "Keyword",
	ticket.AttrAssignee:   "Keyword",
	ticket.AttrPriority:   "Int",
	ticket.AttrHoldReason: "KeywordList",
	ticket.AttrSLADue:     "Datetime",
	ticket.AttrResponse:   "Datetime",
}
