package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/ticket"
)

func newInbox(a *app) *cobra.Command {
	var person string
	var limit int
	c := &cobra.Command{
		Use:   "inbox",
		Short: "The mails that the catcher of docket up took, instead of a mail server",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			mails, err := s.store.CaughtMails(cmd.Context(), person, 0, limit)
			if err != nil {
				return err
			}
			return list(a, mails, "No mail yet. docket up catches what Docket sends while DOCKET_SMTP_URL names no other server; docket notify list tells what waits.",
				number("MAIL", func(m ticket.CaughtMail) string { return strconv.FormatInt(m.ID, 10) }),
				text("WHEN", func(m ticket.CaughtMail) string { return a.when(m.At) }),
				text("TO", func(m ticket.CaughtMail) string { return joined(m.To) }),
				text("SUBJECT", func(m ticket.CaughtMail) string { return short(oneLine(m.Subject), 100) }),
			)
		},
	}
	c.Flags().StringVar(&person, "for", "", "only what this `person` got")
	c.Flags().IntVar(&limit, "limit", 50, "how many (`n`), the newest first")
	c.AddCommand(newInboxShow(a))
	return c
}

// letterShown is a caught mail with its words.
type letterShown struct {
	ticket.CaughtMail
	Text string `json:"text"`
	HTML string `json:"html"`
}

func newInboxShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show MAIL",
		Short: "Show one mail as its receiver reads it",
		Args:  exactly("MAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return ticket.Invalid("mail", args[0], "is not a number of one", "`docket inbox` lists them")
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			mails, err := s.store.CaughtMails(cmd.Context(), "", id, 1)
			if err != nil {
				return err
			}
			if len(mails) == 0 {
				return ticket.Invalid("mail", args[0], "is not known", "`docket inbox` lists them")
			}
			shown := letterShown{CaughtMail: mails[0]}
			if shown.Text, shown.HTML, err = bodies(mails[0].Raw); err != nil {
				return err
			}
			return a.show(shown, func() {
				fields(a.stdout, "from", shown.From, "to", joined(shown.To), "at", a.when(shown.At), "subject", shown.Subject, "message-id", shown.MessageID)
				_, _ = fmt.Fprintf(a.stdout, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(shown.Text, "\r\n", "\n")))
			})
		},
	}
}

// bodies are the text and the HTML of a mail.
func bodies(raw []byte) (text, html string, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", "", fmt.Errorf("read the mail: %w", err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		body, err := io.ReadAll(plain(m.Header.Get("Content-Transfer-Encoding"), m.Body))
		return string(body), "", err
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextPart() // quoted-printable is undone by it
		if errors.Is(err, io.EOF) {
			return text, html, nil
		}
		if err != nil {
			return "", "", fmt.Errorf("read the mail: %w", err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return "", "", fmt.Errorf("read the mail: %w", err)
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			text = string(body)
		case "text/html":
			html = string(body)
		}
	}
}

func plain(encoding string, r io.Reader) io.Reader {
	if strings.EqualFold(encoding, "quoted-printable") {
		return quotedprintable.NewReader(r)
	}
	return r
}
