package billing

// countOrders counts what posts against the purchase order.
func (d *decider) countOrders() {}
