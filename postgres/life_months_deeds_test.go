package postgres_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// The deeds on invoices in random months: each draws what it is about, does it in Docket, and has the clerk do it by hand.

// finalises an open invoice, and sometimes lets the month pass.
func (m *months) finalises() {
	begun := slices.DeleteFunc(m.openBills(), func(b *bill) bool { return b.month > monthOf(m.now().In(m.zone)) })
	if b, ok := cases(m, begun, "finalised"); ok {
		f := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: monthName(b.month) + "-01", By: "olga", Early: true}
		told := m.told(b)
		i, err := m.Finalise(m.t.Context(), f)
		m.did(true, i.Number, err, "%s is finalised", monthName(b.month))
		local := m.now().In(m.zone)
		m.clerk.finalise(b, time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC))
		b.id = i.ID
		_, err = m.KeepDocuments(m.t.Context(), b.id, []billing.Rendered{{Kind: "pdf", MediaType: "application/pdf", Content: []byte("%PDF-1.7 " + b.number)}})
		require.NoError(m.rt, err)
		require.Equal(m.rt, b.number, i.Number)
		if told != "" {
			require.Equal(m.rt, told, fmt.Sprintf("%s %s", i.Receivable.Payable.StringFixed(2), map[bool]string{true: "a note"}[i.State == billing.InvoiceCreditNote]))
		}
	}
	if rapid.Bool().Draw(m.rt, "month passes") {
		local := m.now()
		m.on(time.Date(local.Year(), local.Month()+1, 3, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
}

// told is what a look at the closing of the bill's month says that it comes to; empty where an older one is open, which may be
// carried forward into it.
func (m *months) told(b *bill) string {
	until := monthName(b.month+1) + "-01"
	look, err := m.LookAtMonth(m.t.Context(), billing.MonthClose{Until: until})
	require.NoError(m.rt, err)
	first := look.Invoices[0]
	if first.End != until {
		return ""
	}
	return fmt.Sprintf("%s %s", first.Total.StringFixed(2), map[bool]string{true: "a note"}[first.Becomes == billing.AheadCreditNote])
}

func (m *months) reviews() {
	b, ok := cases(m, m.openBills(), "reviewed")
	if !ok {
		return
	}
	if b.id == 0 {
		b.id = m.count("select id from invoices where period_start = $1::text::date", monthName(b.month)+"-01")
	}
	r := postgres.InvoiceDeed{Invoice: b.id, By: "olga", OperationKey: m.key()}
	says, err := m.twice(func() (string, error) { r, err := m.ReviewInvoice(m.t.Context(), r); return r.Says, err })
	b.reviewed = m.did(true, says, err, "%s is reviewed", monthName(b.month))
}

func (m *months) head(b *bill) postgres.InvoiceDeed {
	return postgres.InvoiceDeed{Invoice: b.id, By: "olga", OperationKey: m.key()}
}

func (m *months) paysSome() {
	b, ok := cases(m, m.order, "paid")
	if !ok {
		return
	}
	amount := rapid.Int64Range(1, b.owed()+5000).Draw(m.rt, "amount")
	if rapid.Bool().Draw(m.rt, "whole") && b.owed() > 0 {
		amount = b.owed()
	}
	p := postgres.InvoicePayment{InvoiceDeed: m.head(b), Amount: dollars(amount)}
	says, err := m.twice(func() (string, error) { p, err := m.Pay(m.t.Context(), p); return p.Says, err })
	m.did(true, says, err, "%s is paid %s", b.number, dollars(amount))
	m.pays(b, amount).id = m.lastPayment()
}

func (m *months) bouncesOne() {
	p, ok := cases(m, m.paid, "bounced")
	if !ok {
		return
	}
	r := postgres.PaymentReturn{Payment: p.id, Reason: "No funds", By: "olga", OperationKey: m.key()}
	says, err := m.twice(func() (string, error) { r, err := m.ReturnPayment(m.t.Context(), r); return r.Says, err })
	if m.did(!p.back, says, err, "%s comes back", ticket.PaymentID(p.id)) {
		m.bounces(p)
	}
}

// work gives the lines of finalised invoices that bill work.
func (m *months) work() (lines []*entry) {
	for _, b := range m.order {
		for _, l := range b.lines {
			if l.line != 0 && l.original().what == "work" {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

func (m *months) creditsSome() {
	if rapid.Bool().Draw(m.rt, "by line") {
		l, ok := cases(m, m.work(), "credited line")
		if !ok {
			return
		}
		may := l.lineCreditable() > 0 && l.lineCreditable() <= l.on.creditable()
		d := postgres.CreditNoteDraft{InvoiceDeed: m.head(l.on), Lines: []int64{l.line}, Reason: "Not our work"}
		says, err := m.twice(func() (string, error) { n, err := m.Credit(m.t.Context(), d); return n.Says, err })
		if m.did(may, says, err, "%s of %s is credited", ticket.LineID(l.line), l.on.number) {
			m.givesLine(l)
		}
		return
	}
	b, ok := cases(m, m.order, "credited")
	if !ok {
		return
	}
	amount := rapid.Int64Range(1, max(b.creditable()+100, 500)).Draw(m.rt, "credit")
	d := postgres.CreditNoteDraft{InvoiceDeed: m.head(b), Amount: dollars(amount), Reason: "Too dear"}
	says, err := m.twice(func() (string, error) { n, err := m.Credit(m.t.Context(), d); return n.Says, err })
	if m.did(amount <= b.creditable(), says, err, "%s of %s are credited", dollars(amount), b.number) {
		m.givesAmount(b, amount, nil)
	}
}

func (m *months) voidsOne() {
	b, ok := cases(m, m.order, "void")
	if !ok {
		return
	}
	v := postgres.InvoiceVoid{InvoiceDeed: m.head(b), Reason: "Wrong address"}
	var done billing.Voiding
	says, err := m.twice(func() (_ string, err error) { done, err = m.Void(m.t.Context(), v); return done.Says, err })
	if m.did(m.voidable(b), says, err, "%s is voided", b.number) {
		var ids []int64
		for _, l := range done.Lines {
			ids = append(ids, l.Line)
		}
		require.Len(m.rt, ids, len(b.lines))
		m.voids(b, ids)
	}
}

func (m *months) usesCredit() {
	u := m.use()
	says, err := m.twice(func() (string, error) { a, err := m.ApplyCredit(m.t.Context(), u); return a.Says, err })
	m.did(true, says, err, "credit is used")
	for _, b := range m.order {
		m.clerk.apply(b)
	}
}

func (m *months) questions() {
	l, ok := cases(m, m.work(), "questioned")
	if !ok {
		return
	}
	may := !l.on.void && !l.on.negative && l.on.state() != "credited" && l.lineCreditable() > 0 &&
		!slices.ContainsFunc(m.doubts, func(d *doubt) bool { return d.line == l && d.open() })
	q := postgres.LineQuestion{Line: l.line, Reason: "Never happened", By: "ann", OperationKey: m.key()}
	var asked billing.Dispute
	says, err := m.twice(func() (_ string, err error) { asked, err = m.Question(m.t.Context(), q); return asked.Says, err })
	if m.did(may, says, err, "%s of %s is questioned", ticket.LineID(l.line), l.on.number) {
		m.doubts = append(m.doubts, &doubt{id: asked.ID, line: l, lines: l.family(), amount: l.lineCreditable()})
	}
}

func (m *months) settles() {
	d, ok := cases(m, m.doubts, "settled")
	if !ok {
		return
	}
	l, may, note := d.line, d.open(), int64(0)
	a := postgres.DisputeAnswer{Dispute: d.id, Reason: "Looked at", By: "olga", OperationKey: m.key()}
	switch rapid.IntRange(0, 2).Draw(m.rt, "answer") {
	case 1:
		a.Whole, note = true, l.lineCreditable()
		may = may && note > 0 && note <= l.on.creditable()
	case 2:
		note = rapid.Int64Range(1, max(l.lineCreditable()+50, 100)).Draw(m.rt, "part")
		a.Amount = dollars(note)
		may = may && note <= l.lineCreditable() && note <= l.on.creditable()
	}
	says, err := m.twice(func() (string, error) { s, err := m.SettleDispute(m.t.Context(), a); return s.Says, err })
	if !m.did(may, says, err, "%s is settled, %s of it given back", ticket.DisputeID(d.id), dollars(note)) {
		return
	}
	if d.settled = true; a.Whole {
		m.givesLine(l)
	} else if note > 0 {
		m.givesAmount(l.on, note, l)
	}
}

func (m *months) sends() {
	b, ok := cases(m, m.order, "sent")
	if !ok {
		return
	}
	s := postgres.InvoiceDispatch{InvoiceDeed: m.head(b), To: "ap@acme.example"}
	says, err := m.twice(func() (string, error) { s, err := m.SendInvoice(m.t.Context(), s); return s.Says, err })
	b.sent = m.did(!b.void, says, err, "%s is sent", b.number) || b.sent
}

func (m *months) reminds() {
	m.pass(time.Duration(rapid.IntRange(0, 12).Draw(m.rt, "hours")) * time.Hour)
	local := m.now().In(m.zone)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	var want, got []string
	for _, b := range m.order {
		step, days := 0, int(today.Sub(b.due).Hours()/24)
		for _, s := range []int{3, 10, 21} {
			if days >= s {
				step = s
			}
		}
		if ask := b.owed() - m.disputed(b); ask > 0 && step > b.reminded {
			b.reminded = step
			want = append(want, b.number+" "+dollars(ask))
		}
	}
	swept, err := m.RemindOverdue(m.t.Context(), 1000)
	require.NoError(m.rt, err)
	for _, r := range swept.Reminded {
		got = append(got, r.Number+" "+r.Asked.StringFixed(2))
	}
	m.say("reminded of %v", got)
	require.ElementsMatch(m.rt, want, got)
}

// exports what an accounting program has not had, sometimes while the payer lacks a country, so that all of it waits.
func (m *months) exports() {
	format, lacks := rapid.SampledFrom(formats).Draw(m.rt, "format"), rapid.IntRange(0, 3).Draw(m.rt, "lacks") == 0
	if lacks {
		m.tamper("update clients set party = party - 'country' where id = 'acme'")
	}
	e, err := export(m.t.Context(), m.Store, format, m.key())
	if err != nil {
		require.ErrorContains(m.rt, err, "has had everything")
	}
	m.say("%s gets %d invoices, %d credits, %d payments, with %v left out: %v", format, e.Invoices, e.Credits, e.Payments, e.LeftOut, err)
	if lacks {
		require.Zero(m.rt, e.ID)
		m.tamper("update clients set party = party || '{\"country\": \"US\"}' where id = 'acme'")
	}
}

// accountingAgrees has each program import what is left, and compares its books with the journal and with the clerk's: what invoices that
// are not void came to, less what credit notes gave back, and the money that came and stayed.
func (m *months) accountingAgrees() {
	var sold, came int64
	for _, b := range m.order {
		if !b.void {
			sold += b.gross - b.credited
		}
	}
	for _, p := range m.paid {
		if !p.back {
			came += p.whole
		}
	}
	for _, format := range formats {
		if _, err := export(m.t.Context(), m.Store, format, m.key()); err != nil {
			require.ErrorContains(m.rt, err, "has had everything")
		}
		m.booksAgree(format)
		l := m.imported(format)
		require.Equal(m.rt, dollars(sold), l.documents["Acme"].StringFixed(2), "documents in %s", format)
		require.Equal(m.rt, dollars(came), l.money["Acme"].StringFixed(2), "money in %s", format)
	}
}
