package notify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
)

func TestACreditNoteReachesItsPayerWithTheKeptFiles(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	ctx := t.Context()
	i := h.invoice("AP@acme.example")
	head := func(key string) postgres.InvoiceDeed {
		return postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: key}
	}
	_, err := h.Pay(ctx, postgres.InvoicePayment{InvoiceDeed: head("pay"), Amount: "120.00", On: "2026-03-18"})
	require.NoError(t, err)
	issued, err := h.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: head("credit"), Amount: "50.00", Reason: "Nobody\ncame"})
	require.NoError(t, err)
	note, err := h.CreditNote(ctx, issued.Number)
	require.NoError(t, err)
	kept, err := document.KeepNote(ctx, h, note.ID)
	require.NoError(t, err)
	sent, err := h.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: note.ID, By: "olga", OperationKey: "send"})
	require.NoError(t, err)
	require.Equal(t, []string{"credit-note ap@acme.example waiting 0"}, h.state())

	h.round(h.mail(p.url()))
	require.Equal(t, []string{"credit-note ap@acme.example sent 1"}, h.state())
	got := p.got()[0]
	require.Equal(t, "Credit note "+note.Number+" from Harbor IT: 50.00 USD", got.Header.Get("Subject"))
	require.Equal(t, "<billing@harbor.example>", got.Header.Get("Reply-To"))
	text := strings.ReplaceAll(p.bodies[0], "=\r\n", "")
	for _, part := range []string{
		"Here is our credit note " + note.Number + " over 50.00 USD, about our invoice " + i.Number + ". 30.00 USD of it is taken off what you owed on that invoice. 20.00 USD of it is your credit",
		"Why: Nobody came", "Attached: " + note.Number + ".pdf, " + note.Number + ".xml",
	} {
		require.Contains(t, text, part)
	}
	for _, part := range []string{"docket ", "IBAN", "Due"} {
		require.NotContains(t, text, part)
	}
	want := map[string]string{}
	for _, d := range kept {
		if d.Kind != "json" {
			want[note.Number+map[string]string{"pdf": ".pdf", "ubl": ".xml"}[d.Kind]] = d.SHA256
		}
	}
	require.Len(t, want, 2)
	require.Equal(t, sent.SHA256, want[note.Number+".pdf"])
	require.Equal(t, want, files(t, got.Header.Get("Content-Type"), strings.NewReader(p.bodies[0])))
}
