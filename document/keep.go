package document

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-psa/docket/billing"
)

// Shelf is where invoices are read from and their files kept.
type Shelf interface {
	// Paper gives what a finalised invoice is printed from; a ticket.Problem where it is not finalised.
	Paper(ctx context.Context, invoice int64) (billing.Paper, error)
	// Documents gives the files that are kept of an invoice, without their content.
	Documents(ctx context.Context, invoice int64) ([]billing.KeptDocument, error)
	// KeepDocuments keeps the files, unless there are some already: what was rendered first stays.
	KeepDocuments(ctx context.Context, invoice int64, files []billing.Rendered) ([]billing.KeptDocument, error)
}

// NoteShelf is the same for credit notes.
type NoteShelf interface {
	CreditNotePaper(ctx context.Context, note int64) (billing.Paper, error)
	CreditNoteDocuments(ctx context.Context, note int64) ([]billing.KeptDocument, error)
	KeepCreditNoteDocuments(ctx context.Context, note int64, files []billing.Rendered) ([]billing.KeptDocument, error)
}

// Keep renders a finalised invoice, once, and keeps it: whoever asks again, or at the same time, gets what was kept first.
func Keep(ctx context.Context, shelf Shelf, invoice int64) ([]billing.KeptDocument, error) {
	return keep(ctx, invoice, shelf.Documents, shelf.Paper, shelf.KeepDocuments)
}

// KeepNote renders a credit note, once, and keeps it as Keep does an invoice.
func KeepNote(ctx context.Context, shelf NoteShelf, note int64) ([]billing.KeptDocument, error) {
	return keep(ctx, note, shelf.CreditNoteDocuments, shelf.CreditNotePaper, shelf.KeepCreditNoteDocuments)
}

func keep(
	ctx context.Context, id int64, documents func(context.Context, int64) ([]billing.KeptDocument, error), paper func(context.Context, int64) (billing.Paper, error),
	put func(context.Context, int64, []billing.Rendered) ([]billing.KeptDocument, error),
) ([]billing.KeptDocument, error) {
	kept, err := documents(ctx, id)
	if err != nil || len(kept) > 0 {
		return kept, err
	}
	from, err := paper(ctx, id)
	if err != nil {
		return nil, err
	}
	files, err := Render(from)
	if err != nil {
		return nil, err
	}
	return put(ctx, id, files)
}

// Render makes the files of an invoice or a credit note: the PDF, the data it was printed from, and the EN 16931 document where the norm can tell it.
func Render(paper billing.Paper) ([]billing.Rendered, error) {
	d, err := Of(paper)
	if err != nil {
		return nil, err
	}
	printed, err := d.PDF()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(paper)
	if err != nil {
		return nil, fmt.Errorf("encode the data of %s: %w", d.Number, err)
	}
	files := []billing.Rendered{{Kind: "pdf", MediaType: "application/pdf", Content: printed}, {Kind: "json", MediaType: "application/json", Content: data}}
	if d.Normed() {
		norm, err := d.UBL()
		if err != nil {
			return nil, err
		}
		files = append(files, billing.Rendered{Kind: "ubl", MediaType: "application/xml", Content: norm})
	}
	return files, nil
}
