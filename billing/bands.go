package billing

// chargeCallOuts adds the fee of each band in which a person did billable work, once a ticket's round.
func (d *decider) chargeCallOuts() {}
