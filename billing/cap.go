package billing

// capLines lowers what lines cost beyond their cap of the period.
func (d *decider) capLines() {}
