// Package mailcatch is the mail server of `docket up`: it takes every mail, sends none on, and shows them to whoever runs
// the demo. It listens on this machine alone.
package mailcatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/mail"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/docket-psa/docket/ticket"
)

const (
	mostBytes      = 20 << 20
	mostRecipients = 50
	keepWithin     = 10 * time.Second
)

// Keep stores what was caught.
type Keep func(ctx context.Context, m ticket.CaughtMail) error

// Server catches mail until it is closed.
type Server struct {
	smtp *smtp.Server
	at   net.Addr
	done chan error
}

// Start listens on a free port of the loopback interface.
func Start(ctx context.Context, keep Keep) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{ctx: context.WithoutCancel(ctx), keep: keep}, nil
	}))
	s.Domain, s.MaxMessageBytes, s.MaxRecipients = "localhost", mostBytes, mostRecipients
	s.ReadTimeout, s.WriteTimeout, s.EnableSMTPUTF8 = time.Minute, time.Minute, true
	c := &Server{smtp: s, at: l.Addr(), done: make(chan error, 1)}
	go func() { c.done <- s.Serve(l) }()
	return c, nil
}

// URL is where mail is to be sent; empty without a server.
func (s *Server) URL() string {
	if s == nil {
		return ""
	}
	return "smtp://" + s.at.String() + "?tls=none"
}

// Close ends it, with whatever conversation goes on.
func (s *Server) Close() error {
	err := s.smtp.Close()
	if serving := <-s.done; err == nil && !errors.Is(serving, smtp.ErrServerClosed) {
		err = serving
	}
	return err
}

// session is one conversation.
type session struct {
	ctx  context.Context
	keep Keep
	mail ticket.CaughtMail
}

func (s *session) Reset()        { s.mail = ticket.CaughtMail{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data answers only when the mail is kept: what is acknowledged is not lost.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.mail
	m.Raw = raw
	if parsed, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		m.MessageID = parsed.Header.Get("Message-ID")
		m.Subject = parsed.Header.Get("Subject")
		if plain, err := new(mime.WordDecoder).DecodeHeader(m.Subject); err == nil {
			m.Subject = plain
		}
	}
	within, cancel := context.WithTimeout(s.ctx, keepWithin)
	defer cancel()
	if err := s.keep(within, m); err != nil {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the mail could not be kept; try again"}
	}
	return nil
}
