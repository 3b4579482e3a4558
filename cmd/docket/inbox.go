package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
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
	Text  string     `json:"text"`
	HTML  string     `json:"html"`
	Files []attached `json:"files,omitempty"`
}

// attached is a file that came with a mail.
type attached struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Bytes   int    `json:"bytes"`
	SHA256  string `json:"sha256"`
	content []byte
}

func newInboxShow(a *app) *cobra.Command {
	var save string
	c := &cobra.Command{
		Use:   "show MAIL",
		Short: "Show one mail as its receiver reads it; --save writes the files that came with it",
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
			if err := shown.read(); err != nil {
				return err
			}
			if save != "" {
				if err := shown.save(save); err != nil {
					return err
				}
			}
			return a.show(shown, func() {
				fields(a.stdout, "from", shown.From, "to", joined(shown.To), "at", a.when(shown.At), "subject", shown.Subject, "message-id", shown.MessageID)
				_, _ = fmt.Fprintf(a.stdout, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(shown.Text, "\r\n", "\n")))
				for _, f := range shown.Files {
					_, _ = fmt.Fprintf(a.stdout, "\nattached: %s, %s, %d bytes, SHA-256 %s\n", f.Name, f.Type, f.Bytes, f.SHA256)
				}
			})
		},
	}
	c.Flags().StringVar(&save, "save", "", "write the attached files into this `folder`")
	return c
}

// save writes the files into a folder, under their own names: what a name says of folders is no business of a mail.
func (l *letterShown) save(folder string) error {
	for _, f := range l.Files {
		name := filepath.Base(filepath.Clean("/" + f.Name))
		if err := os.WriteFile(filepath.Join(folder, name), f.content, 0o644); err != nil { //nolint:gosec // the reader of the mail asked for it
			return fmt.Errorf("save %s: %w", name, err)
		}
	}
	return nil
}

// read takes the mail apart: its text, its HTML and its files.
func (l *letterShown) read() error {
	m, err := mail.ReadMessage(bytes.NewReader(l.Raw))
	if err == nil {
		err = l.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Disposition"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	}
	if err != nil {
		return fmt.Errorf("read mail %d: %w", l.ID, err)
	}
	return nil
}

// part reads one part, and the parts in it.
func (l *letterShown) part(kind, disposition, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(kind)
	if err != nil {
		kind = "text/plain" // as RFC 2045 has it
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			h := p.Header
			if err := l.part(h.Get("Content-Type"), h.Get("Content-Disposition"), h.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	how, named, _ := mime.ParseMediaType(disposition)
	switch {
	case how == "attachment":
		sum := sha256.Sum256(content)
		l.Files = append(l.Files, attached{Name: named["filename"], Type: kind, Bytes: len(content), SHA256: hex.EncodeToString(sum[:]), content: content})
	case kind == "text/html":
		l.HTML = string(content)
	case kind == "text/plain":
		l.Text = string(content)
	}
	return nil
}
