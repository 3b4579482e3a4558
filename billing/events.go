package billing

// chargeEvents prices what happened on the ticket, and its closure, by the usage lines that speak of it.
func (d *decider) chargeEvents() {}
