package document

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Books is where what accounting programs have not had yet is read, and what goes to them is kept.
type Books interface {
	// Unexported lists what the format has not had yet, as of one moment.
	Unexported(ctx context.Context, format string) (billing.Unexported, error)
	// KeepExport keeps the batch, or gives the one that was kept under its key before. A ticket.Problem where there is nothing to
	// keep, billing.ErrExportedMeanwhile where another batch has some of it since.
	KeepExport(ctx context.Context, b billing.ExportBatch) (billing.Export, error)
}

// Order asks for a batch.
type Order struct {
	Format       Format
	OperationKey string
	By           string
	Most         int // invoices and credit notes of one batch: programs import so many at once; 0: all
	Defaults
}

// Export writes what the program has not had yet as its files, and keeps them as one batch. A payer who lacks something is left
// out with all that it has, and named.
func Export(ctx context.Context, books Books, o Order) (billing.Export, error) {
	if err := o.Format.known(); err != nil {
		return billing.Export{}, err
	}
	for range tries {
		due, err := books.Unexported(ctx, string(o.Format))
		if err != nil {
			return billing.Export{}, err
		}
		batch, err := Batch(due, o)
		if err != nil {
			return billing.Export{}, err
		}
		if kept, err := books.KeepExport(ctx, batch); !errors.Is(err, billing.ErrExportedMeanwhile) {
			return kept, err
		}
	}
	return billing.Export{}, ticket.Invalid("format", o.Format, "is being exported by others", "`docket export list` shows their batches; then export what is left")
}

// tries bounds how often what is left is read again, each time because another batch was kept.
const tries = 8

// Batch makes the files of what is due: invoices first, then what takes them back, then payments, so that nothing refers to what a batch
// of at most so many leaves to the next one. Returns a ticket.Problem for each thing that the seller lacks.
func Batch(due billing.Unexported, o Order) (billing.ExportBatch, error) {
	b := billing.ExportBatch{Format: string(o.Format), OperationKey: o.OperationKey, By: o.By}
	if len(due.Invoices)+len(due.Credits) > 0 {
		if err := checkSeller(due.Seller); err != nil {
			return b, err
		}
	}
	payers := map[string]*payer{}
	for id, party := range due.Payers {
		payers[id] = &payer{lacks: problemsOf(checkBuyer(party, id))}
	}
	var all []item
	for _, p := range due.Invoices {
		d, err := Of(p)
		payers[p.Invoice.Payer].waits(err)
		all = append(all, item{payer: p.Invoice.Payer, document: d, lines: p.Invoice.Lines})
	}
	for _, c := range due.Credits {
		d, err := OfCredit(c)
		payers[c.Paper.Invoice.Payer].waits(err)
		all = append(all, item{payer: c.Paper.Invoice.Payer, document: d, event: c.Event})
	}
	for _, m := range due.Payments {
		payers[m.Payer].waits(nil)
	}
	for _, id := range slices.Sorted(maps.Keys(payers)) {
		if p := payers[id]; len(p.lacks) > 0 {
			b.LeftOut = append(b.LeftOut, billing.LeftOut{Payer: id, Documents: p.waiting, Lacks: p.lacks})
		}
	}
	goes := func(id string) bool {
		return len(payers[id].lacks) == 0 && (o.Most <= 0 || b.Invoices+b.Credits < o.Most)
	}
	var documents []*Document
	for _, i := range all {
		if goes(i.payer) {
			documents = append(documents, i.document)
			i.claim(&b)
		}
	}
	var moves []Payment
	for _, m := range due.Payments {
		if goes(m.Payer) {
			moves = append(moves, Payment{m, due.Payers[m.Payer].Name})
			b.Payments++
			b.Events = append(b.Events, m.Event)
		}
	}
	var err error
	b.Files, err = CSV(o.Format, documents, moves, o.Defaults)
	return b, err
}

// item is a document that is due: an invoice with its lines, or the deed that gives something of one back.
type item struct {
	payer    string
	document *Document
	lines    []billing.InvoiceLine
	event    int64
}

// claim counts it in the batch, which is to be its only one.
func (i item) claim(b *billing.ExportBatch) {
	if i.event != 0 {
		b.Credits++
		b.Events = append(b.Events, i.event)
		return
	}
	b.Invoices++
	for _, l := range i.lines {
		b.Lines = append(b.Lines, l.Line)
	}
}

// payer is somebody for whom something is due: nothing of it goes while something is lacking.
type payer struct {
	waiting int
	lacks   []*billing.Problem
}

// waits counts something that is due, and what it lacks, each thing once.
func (p *payer) waits(err error) {
	p.waiting++
	for _, lack := range problemsOf(err) {
		if !slices.ContainsFunc(p.lacks, func(known *billing.Problem) bool { return *known == *lack }) {
			p.lacks = append(p.lacks, lack)
		}
	}
}

// problemsOf tells what is missing; what is no Problem is a defect of one document, which keeps nobody else's back either.
func problemsOf(err error) []*billing.Problem {
	if err == nil {
		return nil
	}
	found := ticket.Problems(err)
	if len(found) == 0 {
		return []*billing.Problem{{Field: "document", Problem: err.Error(), Fix: "docket audit"}}
	}
	lacks := make([]*billing.Problem, len(found))
	for i, f := range found {
		lacks[i] = &billing.Problem{Field: f.Field, Value: f.Value, Problem: f.Problem, Fix: f.Fix}
	}
	return lacks
}
