package postgres_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/ticket"
)

func (k *till) parties() {
	k.t.Helper()
	require.NoError(k.t, k.SetCompany(k.t.Context(), billing.Party{Name: "Docket Managed IT", City: "Boston", Country: "US", IBAN: "DE02120300000000202051"}, "olga"))
	require.NoError(k.t, k.SetClientParty(k.t.Context(), "acme", billing.Party{Street: "1 Main St", City: "Springfield", Country: "US"}, "olga"))
}

func TestAFinalisedInvoiceIsRenderedOnceAndKept(t *testing.T) {
	k := newTill(t, hourly+"billing: {payment_days: 14}\n")
	_, open := k.billed(60)
	_, err := document.Keep(t.Context(), k, open.ID)
	require.ErrorContains(t, err, "company.name")
	k.parties()

	var all sync.WaitGroup
	var found [8][]billing.KeptDocument
	for i := range found {
		all.Go(func() { found[i], _ = document.Keep(t.Context(), k, open.ID) })
	}
	all.Wait()
	for _, kept := range found {
		require.Len(t, kept, 3)
		require.Equal(t, found[0], kept, "however many ask at once, the files are those of one")
	}
	require.NoError(t, k.SetCompany(t.Context(), billing.Party{Name: "Renamed", Country: "US"}, "olga"))
	again, err := document.Keep(t.Context(), k, open.ID)
	require.NoError(t, err)
	require.Equal(t, found[0], again, "what was rendered stays, whatever changes later")
	for _, d := range again {
		file, err := k.DocumentFile(t.Context(), open.ID, d.Kind)
		require.NoError(t, err)
		sum := sha256.Sum256(file.Content)
		require.Equal(t, d.SHA256, hex.EncodeToString(sum[:]))
	}
	_, err = k.DocumentFile(t.Context(), open.ID, "docx")
	require.ErrorContains(t, err, "is not kept of INV-2026-00001: one of json, pdf, ubl")
	require.EqualValues(t, 14, k.count("select due_on - tax_date from invoices where id = $1", open.ID))

	paper, err := k.Paper(t.Context(), open.ID)
	require.NoError(t, err)
	require.Len(t, paper.Invoice.Lines, 1)
	require.Equal(t, "Springfield", paper.Buyer.City)
	k.pay(k.seen(open), "10.00")
	later, err := k.Paper(t.Context(), open.ID)
	require.NoError(t, err)
	later.Seller = paper.Seller
	require.Equal(t, paper, later, "a paper is of the moment of its finalisation")
	k.proved()
}

func TestPartiesAreChecked(t *testing.T) {
	k := newTill(t)
	for says, p := range map[string]billing.Party{
		`name "" is empty`:              {Country: "DE"},
		`country "Germany"`:             {Name: "X", Country: "Germany"},
		`iban "DE02120300000000202052"`: {Name: "X", Country: "DE", IBAN: "DE02120300000000202052"},
		`email "a@b, c@d"`:              {Name: "X", Country: "DE", Email: "a@b, c@d"},
		`email "@"`:                     {Name: "X", Country: "DE", Email: "@"},
		`street "a\nb"`:                 {Name: "X", Country: "DE", Street: "a\nb"},
		`name "X\u202e"`:                {Name: "X\u202e", Country: "DE"},
	} {
		require.ErrorContains(t, k.SetCompany(t.Context(), p, "olga"), says)
	}
	require.ErrorContains(t, k.SetCompany(t.Context(), billing.Party{Name: "X", Country: "DE"}, "tom"), "may not set what the company is")
	for _, name := range []string{"a\nb", "\x1b[31mAcme", "moc.emca\u202e", strings.Repeat("x", 201)} {
		require.ErrorContains(t, k.SetClientParty(t.Context(), "acme", billing.Party{Name: name, Country: "DE"}, "olga"), "characters that cannot be seen")
		require.ErrorContains(t, k.AddClient(t.Context(), ticket.Client{ID: "new", Name: name, TimeZone: "UTC", Currency: "USD"}, "olga"), "name ")
	}
	require.NoError(t, k.SetClientParty(t.Context(), "acme", billing.Party{Name: "می\u200cخواهم 日本 👩\u200d💻", Country: "DE"}, "olga"), "joiners are letters' own")
	require.ErrorContains(t, k.SetClientParty(t.Context(), "nobody", billing.Party{Country: "DE"}, "olga"), `client "nobody"`)
}
