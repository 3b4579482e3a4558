package notify

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

//go:embed templates
var templates embed.FS

// decides are the notices whose reader is to decide.
var decides = []string{
	ticket.TellsAsked, ticket.TellsReminder, ticket.TellsOverdue, ticket.TellsException, ticket.TellsDeclined, ticket.TellsProposed, ticket.TellsRejected,
}

// kinds are the words of each notice: a subject, what happened, and what to do.
var kinds = func() map[string]*template.Template {
	m := make(map[string]*template.Template, len(ticket.Tells))
	for _, kind := range ticket.Tells {
		m[kind] = template.Must(template.ParseFS(templates, "templates/"+kind+".txt"))
	}
	return m
}()

var (
	textLayout = template.Must(template.ParseFS(templates, "templates/layout.txt"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/layout.html"))
)

// Words turns notices into what people read.
type Words struct {
	Base string // URL of Docket's pages; empty: mails name the command instead
	Key  []byte // signs the links of approval mails
}

// NewWords checks the base URL.
func NewWords(base string, key []byte) (Words, error) {
	if base != "" {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return Words{}, ticket.Invalid("DOCKET_BASE_URL", base, "is not the address of a site", "give one like https://desk.example.com")
		}
	}
	if len(key) < 32 {
		return Words{}, errors.New("the key of links is shorter than 32 bytes")
	}
	return Words{Base: strings.TrimRight(base, "/"), Key: key}, nil
}

// Message is what a person gets.
type Message struct {
	Subject string
	Text    string
	HTML    string
}

// fact is one line below the words: what it is about.
type fact struct{ Name, Value string }

// scene is what the templates see. Every text in it is one line, without what could pose as something else.
type scene struct {
	Name, Ticket, Title, Client, Says, Person string
	Hold, Amount, Why, Until, Reason          string
	SignOff, Outside                          bool

	// Of an invoice that goes to its payer.
	Invoice, Due, Seller, Owed, Files string // Owed: where it is less than the amount
	Paid, Credit                      bool
	Note, Reduces, ToCredit           string // of a credit note about it

	Subject string
	Body    []string // paragraphs
	Facts   []fact
	Link    string
	Command string // what does the same where there is no page
	Sealed  bool   // either acts in the reader's name
	Foot    string // who writes, and where answers go
}

// Message writes the notice for its recipient.
func (w Words) Message(n ticket.Claimed) (Message, error) {
	words, ok := kinds[n.Tells]
	if !ok {
		return Message{}, fmt.Errorf("there are no words for a notice of %q", n.Tells)
	}
	s, err := w.scene(n)
	if err != nil {
		return Message{}, err
	}
	subject, err := execute(words, "subject", s)
	if err != nil {
		return Message{}, err
	}
	body, err := execute(words, "body", s)
	if err != nil {
		return Message{}, err
	}
	s.Subject = line(subject, 140)
	for p := range strings.SplitSeq(body, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			s.Body = append(s.Body, strings.Join(strings.Fields(p), " "))
		}
	}
	var text, html bytes.Buffer
	if err := errors.Join(textLayout.Execute(&text, s), htmlLayout.Execute(&html, s)); err != nil {
		return Message{}, fmt.Errorf("write notice %d: %w", n.ID, err)
	}
	return Message{Subject: s.Subject, Text: strings.TrimSpace(text.String()) + "\n", HTML: html.String()}, nil
}

func execute(t *template.Template, name string, s scene) (string, error) {
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, s); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return b.String(), nil
}

func (w Words) scene(n ticket.Claimed) (scene, error) {
	s := scene{
		Name: line(n.Name, 80), Ticket: string(n.Ticket), Title: line(n.Subject, 120), Client: line(n.ClientName, 80), Says: line(n.Says, 600),
		Outside: n.Outside,
	}
	if n.Billed != nil {
		return s.bill(n)
	}
	s.Foot = "Docket, about " + s.Client + ". This was sent by a program; nobody reads answers to it."
	s.Facts = append(s.Facts, fact{"Client", s.Client})
	if s.Ticket != "" {
		s.Facts = append(s.Facts, fact{"Ticket", s.Ticket + ": " + s.Title})
	}
	q := n.Quote
	if q == nil {
		return s, nil
	}
	s.Hold, s.Why, s.Reason, s.SignOff = ticket.HoldID(q.Hold), line(q.Says, 600), line(q.Reason, 40), q.Kind == string(billing.SignOff)
	s.Amount, s.Until = amount(*q), when(q.Until, n.Zone)
	if s.Amount != "" {
		s.Facts = append(s.Facts, fact{"Amount", s.Amount})
	}
	s.Facts = append(s.Facts, fact{"Why", s.Why})
	if !slices.Contains(decides, n.Tells) {
		return s, nil
	}
	s.Facts = append(s.Facts, fact{"Until", s.Until})
	if !s.SignOff || !n.Outside {
		s.Command = "docket exception show " + s.Hold
		if s.SignOff {
			s.Command = "docket approval show " + s.Hold
		}
		return s, nil
	}
	token, err := ticket.Link{Hold: q.Hold, Step: q.Step, Digest: q.Digest, Person: n.Recipient, Expires: q.Until.Unix()}.Seal(w.Key)
	if err != nil {
		return s, err
	}
	if w.Base != "" {
		s.Link = w.Base + "/approve#" + token // behind the #, so that no server's log keeps it
	}
	s.Command, s.Sealed = "docket approval redeem "+token, true
	return s, nil
}

// figure is an amount as it is written.
type figure interface{ StringFixed(places int32) string }

// bill adds the invoice, or the credit note, that goes to its payer: he sees who sells to him, and nothing of the desk.
func (s scene) bill(n ticket.Claimed) (scene, error) {
	b := n.Billed
	places, known := billing.MinorUnits(b.Currency)
	if !known {
		return s, fmt.Errorf("%s is in %q, which is no currency", n.Invoice, b.Currency)
	}
	in := func(d figure) string { return d.StringFixed(places) + " " + b.Currency }
	s.Invoice, s.Due, s.Seller, s.Amount = n.Invoice, b.DueOn, cmp.Or(line(b.Seller, 80), "Docket"), in(b.Payable)
	if b.GivesBack == nil {
		s.asks(b, in)
	} else {
		s.givesBack(*b.GivesBack, in)
	}
	names := make([]string, len(b.Files))
	for i, f := range b.Files {
		names[i] = f.Name
	}
	s.Files = strings.Join(names, ", ")
	s.Foot = "Sent by a program for " + s.Seller + "; "
	if b.Answers == "" {
		s.Foot += "nobody reads answers to it."
	} else {
		s.Foot += "answers go to " + line(b.Answers, 80) + "."
	}
	return s, nil
}

// asks tells what an invoice comes to, and what of it is to be paid.
func (s *scene) asks(b *ticket.Billed, in func(figure) string) {
	s.Facts = []fact{{"Invoice", s.Invoice}, {"Amount", s.Amount}}
	s.Credit = b.Payable.IsNegative()
	switch {
	case !b.Owed.IsPositive():
		s.Paid = true
	case !b.Owed.Equal(b.Payable):
		s.Owed = in(b.Owed)
		s.Facts = append(s.Facts, fact{"To pay", s.Owed})
	}
	if !s.Paid {
		s.Facts = append(s.Facts, fact{"Due", s.Due})
		if b.IBAN != "" {
			s.Facts = append(s.Facts, fact{"IBAN", line(b.IBAN, 40)}, fact{"Purpose", s.Invoice})
		}
	}
}

// givesBack tells what a credit note comes to, why, and what became of it.
func (s *scene) givesBack(g ticket.GivesBack, in func(figure) string) {
	s.Note, s.Why = g.Number, line(g.Reason, 600)
	s.Facts = []fact{{"Credit note", s.Note}, {"Of invoice", s.Invoice}, {"Amount", s.Amount}}
	if g.Reduces.IsPositive() {
		s.Reduces = in(g.Reduces)
		s.Facts = append(s.Facts, fact{"Off what you owed", s.Reduces})
	}
	if g.ToCredit.IsPositive() {
		s.ToCredit = in(g.ToCredit)
		s.Facts = append(s.Facts, fact{"To your credit", s.ToCredit})
	}
}

// amount is what the quote comes to; empty where none could be found.
func amount(q ticket.Quoted) string {
	places, known := billing.MinorUnits(q.Currency)
	if !known || (q.Amount.IsZero() && q.Kind == string(billing.Exception)) {
		return ""
	}
	return q.Amount.StringFixed(places) + " " + q.Currency
}

// when writes an instant as the client's wall clock shows it.
func when(t time.Time, zone string) string {
	at, err := time.LoadLocation(zone)
	if err != nil {
		at = time.UTC
	}
	return t.In(at).Format("Mon 2 Jan 2006, 15:04 MST")
}

// line makes one line of at most n characters out of anybody's text: no line ends, which would begin another header, and
// nothing that is not seen or turns the direction of writing, by which a text could pose as another.
func line(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case r == unicode.ReplacementChar, unicode.In(r, unicode.Co, unicode.Cs), ticket.Unseen(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > n {
		s = strings.TrimSpace(string(runes[:n-1])) + "…"
	}
	return s
}
