package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// The search attributes, see ticket.AttrStage and its neighbours.
var (
	attrStage      = temporal.NewSearchAttributeKeyKeyword(ticket.AttrStage)
	attrClient     = temporal.NewSearchAttributeKeyKeyword(ticket.AttrClient)
	attrAssignee   = temporal.NewSearchAttributeKeyKeyword(ticket.AttrAssignee)
	attrPriority   = temporal.NewSearchAttributeKeyInt64(ticket.AttrPriority)
	attrHoldReason = temporal.NewSearchAttributeKeyKeywordList(ticket.AttrHoldReason)
	attrSLADue     = temporal.NewSearchAttributeKeyTime(ticket.AttrSLADue)
	attrResponse   = temporal.NewSearchAttributeKeyTime(ticket.AttrResponse)
)

// attributes are the search attributes' values as they were last written.
type attributes struct {
	stage    ticket.Stage
	client   string
	assignee string
	priority int
	reasons  string // joined by commas, sorted
	due      time.Time
	owed     ticket.Owed
}

// show tells operations where the ticket stands: called before each wait and at the end, so a
// stage that is passed through without waiting costs no event. Closing is such a stage; when
// it does take long, its activity shows its attempts.
func (t *lifecycle) show(ctx workflow.Context) {
	t.describe(ctx)
	now := attributes{
		stage: t.stage, client: t.brief.Client, assignee: t.assigned.Assignee, priority: t.priority,
		reasons: strings.Join(t.reasons(), ","), due: t.deadlines.Owed.Resolution, owed: t.deadlines.Owed,
	}
	if now.owed == (ticket.Owed{}) { // as answers from before 00014 told it
		now.due = t.deadlines.Resolution
		if now.due.IsZero() {
			now.due = t.deadlines.Response
		}
	}
	was := t.shown
	// An upsert is an event and a write of the visibility store: one a stage, and one when a deadline has been met or
	// moved, or searches would list as late what somebody has answered.
	if now.stage == was.stage && now.assignee == was.assignee && now.priority == was.priority && now.reasons == was.reasons && now.owed == was.owed {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, now.changes(was)...); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not written", "error", err)
		return
	}
	t.shown = now
}

// changes gives what to write where was is written already.
func (now attributes) changes(was attributes) (changes []temporal.SearchAttributeUpdate) {
	if now.stage != was.stage {
		changes = append(changes, attrStage.ValueSet(string(now.stage)))
	}
	if now.client != was.client {
		changes = append(changes, attrClient.ValueSet(now.client))
	}
	if now.assignee != was.assignee {
		if now.assignee == "" {
			changes = append(changes, attrAssignee.ValueUnset())
		} else {
			changes = append(changes, attrAssignee.ValueSet(now.assignee))
		}
	}
	if now.priority != was.priority {
		changes = append(changes, attrPriority.ValueSet(int64(now.priority)))
	}
	if now.reasons != was.reasons {
		if now.reasons == "" {
			changes = append(changes, attrHoldReason.ValueUnset())
		} else {
			changes = append(changes, attrHoldReason.ValueSet(strings.Split(now.reasons, ",")))
		}
	}
	if !now.owed.Response.Equal(was.owed.Response) {
		if now.owed.Response.IsZero() {
			changes = append(changes, attrResponse.ValueUnset())
		} else {
			changes = append(changes, attrResponse.ValueSet(now.owed.Response))
		}
	}
	if !now.due.Equal(was.due) {
		if now.due.IsZero() {
			changes = append(changes, attrSLADue.ValueUnset())
		} else {
			changes = append(changes, attrSLADue.ValueSet(now.due))
		}
	}
	return changes
}

// reasons lists why persons must decide, each once, sorted.
func (t *lifecycle) reasons() []string {
	var all []string
	for _, q := range t.held {
		all = append(all, string(q.Reason))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// describe writes the current details of the Temporal UI, in Markdown: stage, who is awaited,
// until when, how much, and the command to act. They cost nothing: Temporal asks for them.
func (t *lifecycle) describe(ctx workflow.Context) {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("**%s** · round %d · %s", t.stage, t.round, t.id)
	if t.brief.Subject != "" {
		say("%s — %s", t.brief.Client, escape(t.brief.Subject))
	}
	if awaited := t.awaited(); awaited != "" {
		say("Awaited: %s", awaited)
	}
	for _, q := range t.held {
		say("- %s: %s\n  `%s`", asked(q), escape(q.Says), command(q))
	}
	if d := t.due(); !d.at.IsZero() {
		say("Next: %s, %s", d.says, d.at.UTC().Format("Mon 2 Jan 2006 15:04 MST"))
	}
	if t.stage == ticket.Resolution {
		say("`docket ticket resolve %s`", t.id)
	}
	if t.over() && t.answer.Says != "" {
		say("%s", escape(t.answer.Says))
	}
	if t.refused != "" {
		say("Last refused: %s", escape(t.refused))
	}
	workflow.SetCurrentDetails(ctx, strings.Join(lines, "\n\n"))
}

// awaited says who is to do what; empty when nobody is waited for.
func (t *lifecycle) awaited() string {
	switch t.stage {
	case ticket.Resolution:
		if t.assigned.Assignee == "" {
			return "somebody of board " + t.assigned.Board + " to claim it"
		}
		return t.assigned.Assignee + " to resolve it"
	case ticket.Waiting:
		if t.waitingFor == "" {
			return "the customer"
		}
		return escape(t.waitingFor)
	case ticket.Closing:
		return "the closing of round " + itoa(t.round)
	case ticket.Held:
		var all []string
		for _, q := range t.held {
			all = append(all, decider(q))
		}
		slices.Sort(all)
		return strings.Join(slices.Compact(all), " and ")
	case ticket.New, ticket.Triage, ticket.Routing, ticket.Posted, ticket.Merged, ticket.Cancelled:
	}
	return ""
}

// status answers the query of that name.
func (t *lifecycle) status() ticket.Status {
	s := ticket.Status{
		Ticket: t.id, Round: t.round, Stage: t.stage, Client: t.brief.Client,
		Assignee: t.assigned.Assignee, Into: t.answer.Into,
		Awaited: t.awaited(), Unread: len(t.mail.unread), Refused: t.refused,
	}
	d := t.due()
	s.DueWhat, s.DueAt = d.says, d.at
	for _, q := range t.held {
		s.Holds = append(s.Holds, asked(q)+": "+q.Says)
	}
	return s
}

// asked names what a hold asks for: "client sign-off of H-7, 500.00 USD". It is the summary of
// the hold's timer.
func asked(q billing.HeldQuote) string {
	what := "ruling on "
	if q.Kind == billing.SignOff {
		what = "client sign-off of "
	}
	what += ticket.HoldID(q.Hold)
	if q.Currency == "" {
		return what
	}
	digits, _ := billing.MinorUnits(q.Currency)
	return what + ", " + q.Amount.StringFixed(digits) + " " + q.Currency
}

func decider(q billing.HeldQuote) string {
	if q.Kind == billing.SignOff {
		if len(q.Approvers) == 0 {
			return "the client's approver"
		}
		return strings.Join(q.Approvers, " or ")
	}
	return "a dispatcher"
}

func command(q billing.HeldQuote) string {
	if q.Kind == billing.SignOff {
		return "docket approval approve " + ticket.HoldID(q.Hold)
	}
	return "docket exception rule " + ticket.HoldID(q.Hold)
}

// escape keeps what people wrote from being read as Markdown.
func escape(s string) string { return markdown.Replace(s) }

var markdown = strings.NewReplacer(
	"\n", " ", "\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", "!", "\\!", "|", "\\|",
)
