package billing

// roundTicket rounds the ticket's sum instead of its lines, where the contract says so.
func (d *decider) roundTicket() {}

// limitTicket keeps the round within what the ticket may cost at most.
func (d *decider) limitTicket() {}
