package ticket

// What a starter of a ticket's workflow names, without importing the workflow.
const (
	TaskQueue    = "tickets" // where the workers listen
	WorkflowType = "Ticket"  // carries one ticket from intake to its posted lines
	QueryStatus  = "status"  // answers with Status
)

// The workflow's search attributes in Temporal: no amounts, no personal data.
const (
	AttrStage      = "TicketStage"    // Keyword, a Stage
	AttrClient     = "Client"         // Keyword, client id
	AttrAssignee   = "Assignee"       // Keyword, person id
	AttrPriority   = "Priority"       // Int, 1 … 5
	AttrHoldReason = "HoldReason"     // KeywordList, why a person must decide
	AttrSLADue     = "SLADue"         // Datetime, by when it is to be resolved, missed or not; unset while that clock stands still
	AttrResponse   = "SLAResponseDue" // Datetime, by when somebody is to answer, missed or not; unset once somebody has
)

// InvalidError is the type of the Temporal application error that says a message can
// never succeed as it was sent. Its first detail is a []*Problem, when the shape is to blame.
const InvalidError = "Invalid"
