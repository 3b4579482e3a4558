package billing

// drawRetainers pays for work under a retainer with the period's retainer, as far as it goes.
func (d *decider) drawRetainers() {}
