package notify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// invoice finalises an hour of work, as it is printed and kept. It comes to 150 USD.
func (h *house) invoice(email string) billing.Invoice {
	h.t.Helper()
	ctx := h.t.Context()
	require.NoError(h.t, h.SetCompany(ctx, billing.Party{Name: "Harbor IT", Country: "US", Email: "billing@harbor.example", IBAN: "DE02120300000000202051"}, "olga"))
	require.NoError(h.t, h.SetClientParty(ctx, "acme", billing.Party{Country: "US", Email: email}, "olga"))
	h.work("Printer jams", time.Hour)
	i, err := h.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
	require.NoError(h.t, err)
	_, err = document.Keep(ctx, h, i.ID)
	require.NoError(h.t, err)
	return i
}

func (h *house) send(i billing.Invoice, to string) billing.InvoiceSending {
	h.t.Helper()
	sent, err := h.SendInvoice(h.t.Context(), postgres.InvoiceDispatch{
		InvoiceDeed: postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: h.by("olga").OperationKey}, To: to,
	})
	require.NoError(h.t, err)
	return sent
}

// files are the SHA-256 of what came with a mail, by name.
func files(t *testing.T, kind string, body io.Reader) map[string]string {
	t.Helper()
	found := map[string]string{}
	_, params, err := mime.ParseMediaType(kind)
	require.NoError(t, err)
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		if p.FileName() == "" {
			continue
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		found[p.FileName()] = hex.EncodeToString(sum[:])
	}
}

func TestAnInvoiceReachesItsPayerWithTheKeptFiles(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	i := h.invoice("AP@acme.example")
	sent := h.send(i, "")
	require.Equal(t, sent, h.send(i, "ap@acme.example"), "the same file goes to nobody twice")
	require.Equal(t, []string{"invoice ap@acme.example waiting 0"}, h.state())

	m := h.mail(p.url())
	_, err := h.courier(&forgetful{Store: h.Store}, m).Round(t.Context(), m) // it dies before its mark
	require.NoError(t, err)
	h.pass(10 * time.Minute)
	h.round(m)
	require.Equal(t, []string{"invoice ap@acme.example sent 2"}, h.state())
	require.Len(t, p.got(), 2)
	require.Equal(t, p.got()[0].Header.Get("Message-ID"), p.got()[1].Header.Get("Message-ID"), "one mail to whoever drops repetitions")

	got := p.got()[0]
	require.Equal(t, "Invoice "+i.Number+" from Harbor IT: 150.00 USD", got.Header.Get("Subject"))
	require.Equal(t, `"Acme" <ap@acme.example>`, got.Header.Get("To"))
	require.Equal(t, "<billing@harbor.example>", got.Header.Get("Reply-To"))
	text := strings.ReplaceAll(p.bodies[0], "=\r\n", "")
	for _, part := range []string{"Here is your invoice " + i.Number + " over 150.00 USD, due on 2026-", "DE02120300000000202051", "Attached: " + i.Number + ".pdf, " + i.Number + ".xml"} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "docket ", "a payer has no command line")

	kept, err := h.Documents(t.Context(), i.ID)
	require.NoError(t, err)
	want := map[string]string{}
	for _, d := range kept {
		switch d.Kind {
		case "pdf":
			require.Equal(t, sent.SHA256, d.SHA256)
			want[i.Number+".pdf"] = d.SHA256
		case "ubl":
			want[i.Number+".xml"] = d.SHA256
		}
	}
	require.Len(t, want, 2)
	require.Equal(t, want, files(t, got.Header.Get("Content-Type"), strings.NewReader(p.bodies[0])))
}

func TestAMailOfAnInvoiceThatIsVoidByThenDoesNotGo(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	i := h.invoice("ap@acme.example")
	h.send(i, "")
	_, err := h.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: "void"}, Reason: "Wrong client"})
	require.NoError(t, err)
	h.round(h.mail(p.url()))
	require.Equal(t, []string{"invoice ap@acme.example moot 0"}, h.state())
	require.Empty(t, p.got())
}

func TestThePayerIsRemindedOfWhatHeOwes(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	i := h.invoice("ap@acme.example")
	h.pass(40 * 24 * time.Hour)
	_, err := h.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: "pay"}, Amount: "50.00", On: "2026-04-20"})
	require.NoError(t, err)
	_, err = h.RemindOverdue(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []string{"past-due olga waiting 0", "payment-due ap@acme.example waiting 0"}, h.state(), "our owner, for finance that is not there, and the payer")
	h.round(h.mail(p.url()))
	require.Len(t, p.got(), 2)
	got := p.got()[1]
	require.Contains(t, got.Header.Get("Subject"), "Reminder: invoice "+i.Number+" from Harbor IT was due on ")
	require.Contains(t, strings.ReplaceAll(p.bodies[1], "=\r\n", ""), "and 100.00 USD of it is not paid yet")
	require.Len(t, files(t, got.Header.Get("Content-Type"), strings.NewReader(p.bodies[1])), 2)
}

func TestAReminderOfWhatIsPaidByThenDoesNotGo(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	i := h.invoice("ap@acme.example")
	h.pass(40 * 24 * time.Hour)
	_, err := h.RemindOverdue(t.Context(), 10)
	require.NoError(t, err)
	_, err = h.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: "pay"}, Amount: "150.00", On: "2026-04-20"})
	require.NoError(t, err)
	h.round(h.mail(p.url()))
	require.Equal(t, []string{"past-due olga sent 1", "payment-due ap@acme.example moot 0"}, h.state())
}

func TestRemindersStayInHouseOrHaveNoAddress(t *testing.T) {
	h := openHouse(t)
	h.invoice("")
	h.pass(40 * 24 * time.Hour)
	require.NoError(t, h.SetInvoiceRules(t.Context(), billing.InvoiceRules{SetBy: "olga", RemindAfter: []int32{3, 300}, RemindInHouse: true}))
	_, err := h.RemindOverdue(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []string{"past-due olga waiting 0"}, h.state())

	require.NoError(t, h.SetInvoiceRules(t.Context(), billing.InvoiceRules{SetBy: "olga", RemindAfter: []int32{3, 10, 300}}))
	_, err = h.RemindOverdue(t.Context(), 10)
	require.NoError(t, err)
	list, err := h.Notices(t.Context(), postgres.NoticeFilter{State: ticket.NoticeUndeliverable})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "acme has no mail address: docket client address acme --email ADDRESS", list[0].LastError)
}
