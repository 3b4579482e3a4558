package billing

// chargeMaterials prices the parts, licences and expenses of the ticket.
func (d *decider) chargeMaterials() {}
