package billing

// encoder appends canonical JSON. It writes what encoding/json would, field by field: a field
// that is added to a type below is added here and in canonical_read.go, and the tests fail
// until it is.
type encoder struct {
	b   []byte
	err error // an instant beyond the years of RFC 3339
}

func (w *encoder) facts(f *Facts) {
	w.open()
	w.number("rules", int64(f.Rules))
	w.name("ticket")
	w.ticket(&f.Ticket)
	writeList(w, "work", f.Work, (*encoder).work)
	writeList(w, "contracts", f.Contracts, (*encoder).version)
	writeSome(w, "blocks", f.Blocks, (*encoder).block)
	writeSome(w, "counters", f.Counters, (*encoder).counter)
	writeSome(w, "items", f.Items, (*encoder).item)
	writeSome(w, "events", f.Events, (*encoder).event)
	if p := f.Past; p != nil {
		w.name("past")
		w.past(p)
	}
	if r := f.Rerating; r != nil {
		w.name("rerating")
		w.open()
		w.number("hold", r.Hold)
		w.text("contract", r.Contract)
		w.text("by", r.By)
		w.someText("confirmed_by", r.ConfirmedBy)
		w.text("reason", r.Reason)
		w.someNumber("bought", int64(r.Bought))
		w.close()
	}
	w.close()
}

func (w *encoder) ticket(t *Ticket) {
	w.open()
	w.text("id", t.ID)
	w.number("round", int64(t.Round))
	w.text("client", t.Client)
	w.someText("currency", t.Currency)
	w.text("category", t.Category)
	w.someText("subcategory", t.Subcategory)
	w.someText("type", t.Type)
	w.someText("channel", t.Channel)
	w.someText("site", t.Site)
	w.someText("device", t.Device)
	w.number("priority", int64(t.Priority))
	w.instant("opened_at", t.OpenedAt)
	w.instant("resolved_at", t.ResolvedAt)
	w.text("resolved_on", t.ResolvedOn)
	w.text("resolved_by", t.ResolvedBy)
	w.text("resolved_kind", t.ResolvedKind)
	w.text("code", t.Code)
	w.someFlag("ticket_billed", t.TicketBilled)
	if !t.Approved.IsZero() {
		w.decimal("approved", t.Approved)
	}
	w.someText("approved_currency", t.ApprovedCurrency)
	w.someText("approved_by", t.ApprovedBy)
	w.someText("contact", t.Contact)
	if r := t.Rework; r != nil {
		w.name("rework")
		w.open()
		w.text("of", r.Of)
		w.instant("resolved_at", r.ResolvedAt)
		w.close()
	}
	if s := t.SLA; s != nil {
		w.name("sla")
		w.open()
		w.someText("contract", s.Contract)
		w.someFlag("response_missed", s.ResponseMissed)
		w.someFlag("resolution_missed", s.ResolutionMissed)
		w.number("spent_ms", s.SpentMS)
		w.close()
	}
	if p := t.Project; p != nil {
		w.name("project")
		w.open()
		w.text("id", p.ID)
		w.text("currency", p.Currency)
		w.someDecimal("budget", p.Budget)
		w.someNumber("budget_ms", p.BudgetMS)
		w.someDecimal("hourly", p.Hourly)
		w.someFlag("closed", p.Closed)
		w.close()
	}
	w.close()
}

func (w *encoder) past(p *Past) {
	w.open()
	w.number("days", int64(p.Days))
	w.number("tickets", int64(p.Tickets))
	w.number("ms", p.MS)
	writeSome(w, "amounts", p.Amounts, func(w *encoder, a *PastAmount) {
		w.open()
		w.text("currency", a.Currency)
		w.decimal("amount", a.Amount)
		w.close()
	})
	w.number("span", int64(p.Span))
	w.number("week", int64(p.Week))
	w.close()
}

func (w *encoder) work(k *Work) {
	w.open()
	w.number("id", k.ID)
	w.text("actor", k.Actor)
	w.text("kind", k.Kind)
	w.text("work_type", k.WorkType)
	w.text("work_role", k.WorkRole)
	w.instant("started_at", k.StartedAt)
	w.number("ms", k.MS)
	w.someFlag("failed", k.Failed)
	w.someFlag("non_billable", k.NoBill)
	w.someDecimal("hourly", k.Hourly)
	w.someFlag("unstarted", k.Unstarted)
	w.someNumber("offset_ms", k.Offset)
	if e := k.Elsewhere; e != nil {
		w.name("elsewhere")
		w.open()
		w.text("ticket", e.Ticket)
		w.number("ms", e.MS)
		w.close()
	}
	writeList(w, "segments", k.Segments, (*encoder).segment)
	w.close()
}

func (w *encoder) segment(s *Segment) {
	w.open()
	w.number("from", s.From)
	w.number("to", s.To)
	w.text("date", s.Date)
	writeSome(w, "bands", s.Bands, (*encoder).string)
	w.close()
}

func (w *encoder) version(v *Version) {
	w.open()
	w.text("contract", v.Contract)
	w.number("revision", int64(v.Revision))
	w.text("digest", v.Digest)
	w.instant("from", v.From)
	w.someInstant("until", v.Until)
	w.close()
}

func (w *encoder) block(b *Block) {
	w.open()
	w.number("id", b.ID)
	w.text("contract", b.Contract)
	w.number("priority", int64(b.Priority))
	w.instant("granted_at", b.GrantedAt)
	w.someInstant("expires_at", b.ExpiresAt)
	w.number("left_ms", b.LeftMS)
	w.someText("clause", b.Clause)
	w.someFlag("unpaid", b.Unpaid)
	w.someNumber("forfeited_ms", b.ForfeitedMS)
	w.someNumber("rolled_ms", b.RolledMS)
	w.someNumber("rolled_into", b.RolledInto)
	w.someNumber("granted_ms", b.GrantedMS)
	w.someText("period", b.Period)
	w.someNumber("rolled_from", b.RolledFrom)
	w.someInstant("earliest_at", b.EarliestAt)
	w.close()
}

func (w *encoder) counter(c *Counter) {
	w.open()
	w.text("key", c.Key)
	w.decimal("value", c.Value)
	w.close()
}

func (w *encoder) item(i *Item) {
	w.open()
	w.number("id", i.ID)
	w.text("kind", i.Kind)
	w.text("text", i.Text)
	w.decimal("quantity", i.Quantity)
	w.decimal("unit_cost", i.UnitCost)
	w.text("currency", i.Currency)
	w.someDecimal("price", i.Price)
	w.text("date", i.Date)
	w.close()
}

func (w *encoder) event(e *Event) {
	w.open()
	w.number("id", e.ID)
	w.text("name", e.Name)
	w.decimal("quantity", e.Quantity)
	w.text("date", e.Date)
	w.close()
}

func (w *encoder) decision(d *Decision) {
	w.open()
	w.number("rules", int64(d.Rules))
	writeList(w, "charges", d.Charges, (*encoder).charge)
	writeList(w, "holds", d.Holds, (*encoder).hold)
	writeSome(w, "grants", d.Grants, (*encoder).grant)
	w.close()
}

func (w *encoder) hold(h *Hold) {
	w.open()
	w.text("key", h.Key)
	w.text("kind", string(h.Kind))
	w.text("reason", string(h.Reason))
	w.someText("contract", h.Contract)
	w.someText("clause", h.Clause)
	w.text("says", h.Says)
	w.text("currency", h.Currency)
	w.decimal("amount", h.Amount)
	w.someFlag("unrated", h.Unrated)
	writeList(w, "charges", h.Charges, (*encoder).charge)
	writeSome(w, "approvers", h.Approvers, (*encoder).string)
	w.number("patience_ms", h.Patience)
	w.text("digest", h.Digest)
	w.close()
}

func (w *encoder) charge(c *Charge) {
	w.open()
	w.text("key", c.Key)
	w.text("kind", string(c.Kind))
	w.someText("contract", c.Contract)
	w.someNumber("revision", int64(c.Revision))
	w.someText("clause", c.Clause)
	w.text("text", c.Text)
	w.text("currency", c.Currency)
	w.decimal("quantity", c.Quantity)
	w.text("unit", c.Unit)
	w.decimal("rate", c.Rate)
	w.decimal("exact", c.Exact)
	w.decimal("amount", c.Amount)
	w.text("date", c.Date)
	w.someFlag("hidden", c.Hidden)
	w.someFlag("unrated", c.Unrated)
	writeSome(w, "spans", c.Spans, (*encoder).span)
	writeSome(w, "draws", c.Draws, (*encoder).draw)
	writeSome(w, "counts", c.Counts, (*encoder).count)
	writeSome(w, "steps", c.Steps, (*encoder).step)
	w.someNumber("reverses", c.Reverses)
	w.someNumber("adjusts", c.Adjusts)
	w.someText("item", c.Item)
	w.someText("payer", c.Payer)
	if p := c.Bills; p != nil {
		w.name("bills")
		w.open()
		w.text("start", p.Start)
		w.text("end", p.End)
		w.close()
	}
	w.someText("purchase_order", c.PurchaseOrder)
	w.someText("project", c.Project)
	w.someText("tax", c.Tax)
	w.someText("tax_category", c.TaxCategory)
	if a := c.Accounting; a != nil {
		w.name("accounting")
		w.open()
		w.someText("account", a.Account)
		w.someText("item", a.Item)
		w.someText("defer", a.Defer)
		w.close()
	}
	w.close()
}

func (w *encoder) span(s *Span) {
	w.open()
	w.number("work", s.Work)
	w.number("from", s.From)
	w.number("to", s.To)
	w.close()
}

func (w *encoder) draw(d *Draw) {
	w.open()
	w.number("block", d.Block)
	w.number("ms", d.MS)
	w.someNumber("restores", d.Restores)
	w.someNumber("unrolls", d.Unrolls)
	w.close()
}

func (w *encoder) grant(g *Grant) {
	w.open()
	w.number("block", g.Block)
	w.text("key", g.Key)
	w.text("contract", g.Contract)
	w.number("revision", int64(g.Revision))
	w.text("clause", g.Clause)
	w.number("ms", g.MS)
	w.number("priority", int64(g.Priority))
	w.instant("granted_at", g.GrantedAt)
	w.someInstant("expires_at", g.ExpiresAt)
	w.decimal("price", g.Price)
	w.text("currency", g.Currency)
	w.close()
}

func (w *encoder) count(c *Count) {
	w.open()
	w.text("key", c.Key)
	w.decimal("quantity", c.Quantity)
	w.close()
}

func (w *encoder) step(s *Step) {
	w.open()
	w.text("rule", s.Rule)
	writeSome(w, "args", s.Args, (*encoder).arg)
	w.close()
}

func (w *encoder) arg(a *Arg) {
	w.open()
	w.text("name", a.Name)
	w.text("value", a.Value)
	w.close()
}
