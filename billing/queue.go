package billing

import "slices"

// Queue is where an exception of ours waits, by what is asked about it.
type Queue string

// The queues.
const (
	QueueScope    Queue = "scope"    // whether it is in the contract at all
	QueueMoney    Queue = "money"    // what it costs, and whether the client pays
	QueueTime     Queue = "time"     // whether the time is right
	QueueContract Queue = "contract" // which contract it falls under
	QueueProject  Queue = "project"  // whether it is a project, and what the project takes
	QueuePattern  Queue = "pattern"  // why it is not as such work usually is
	QueueOrder    Queue = "order"    // who ordered it, and by which order
	QueueBlock    Queue = "block"    // what a block of hours does not pay for
)

// Queues lists them in the order in which people are shown them.
var Queues = []Queue{QueueScope, QueueMoney, QueueTime, QueueContract, QueueProject, QueuePattern, QueueOrder, QueueBlock}

// queued is the one table of reasons: the queue of each, and whether another contract could be the answer.
var queued = map[HoldReason]struct {
	queue    Queue
	contract bool
}{
	OutOfScope:    {QueueScope, true},
	Unlisted:      {QueueScope, true},
	NoRate:        {QueueMoney, true},
	WrongCurrency: {QueueMoney, true},
	OverLimit:     {QueueMoney, false},
	Declined:      {QueueMoney, true},
	OverThreshold: {QueueMoney, false},
	BeforeAction:  {QueueMoney, false},
	NoTime:        {QueueTime, false},
	NoStart:       {QueueTime, false},
	Implausible:   {QueueTime, false},
	NoContract:    {QueueContract, true},
	Tie:           {QueueContract, true},
	Paused:        {QueueContract, true},
	ProjectSize:   {QueueProject, true},
	ProjectBudget: {QueueProject, false},
	PatternBroken: {QueuePattern, true},
	NotOrdered:    {QueueOrder, true},
	OrderUsedUp:   {QueueOrder, true},
	BlockEmpty:    {QueueBlock, true},
	BlockUnpaid:   {QueueBlock, true},
}

// Queue gives the queue that a hold of this reason waits in.
func (r HoldReason) Queue() Queue {
	if q, ok := queued[r]; ok {
		return q.queue
	}
	return QueueMoney
}

// Reasons lists the reasons of the queue, sorted.
func (q Queue) Reasons() []HoldReason {
	var reasons []HoldReason
	for reason, row := range queued {
		if row.queue == q {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	return reasons
}

// Rulings lists what a person of ours may decide about the hold, besides sending the ticket back. What waits
// for the client's word can only be given away; what has no charges has nothing to move or to part.
func (h Hold) Rulings() []Action {
	if h.Kind == SignOff {
		return []Action{Cover, WriteOff}
	}
	possible := []Action{Bill, Cover, WriteOff}
	if len(h.Charges) > 0 {
		possible = append(possible, ToProject)
	}
	if queued[h.Reason].contract && slices.ContainsFunc(h.Charges, Charge.ratable) {
		possible = append(possible, ReRate)
	}
	if h.CanSplit() {
		possible = append(possible, Split)
	}
	return possible
}

// ratable says whether the charge stands for something that another contract could rate: work, an item, an event.
func (c Charge) ratable() bool {
	return !c.lowers() && c.Kind != Credit && (len(c.Spans) > 0 || c.Item != "")
}
