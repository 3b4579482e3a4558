package notify_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// postOffice is a mail server that refuses what a test wants it to.
type postOffice struct {
	mu     sync.Mutex
	mails  []*mail.Message
	raw    [][]byte
	bodies []string
	refuse func(to string) error // asked for each recipient
	after  func() error          // asked when a mail was taken whole
	server *smtp.Server
	addr   string
}

func openPostOffice(t testing.TB) *postOffice {
	t.Helper()
	p := &postOffice{}
	p.open(t, "127.0.0.1:0")
	return p
}

func (p *postOffice) open(t testing.TB, addr string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	p.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &counter{p: p}, nil }))
	p.server.Domain, p.server.ReadTimeout, p.addr = "localhost", time.Minute, l.Addr().String()
	go func() { _ = p.server.Serve(l) }()
	t.Cleanup(func() { _ = p.server.Close() })
}

func (p *postOffice) url() string { return "smtp://" + p.addr }

func (p *postOffice) got() []*mail.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*mail.Message{}, p.mails...)
}

// counter takes one conversation.
type counter struct{ p *postOffice }

func (c *counter) Reset()                               {}
func (c *counter) Logout() error                        { return nil }
func (c *counter) Mail(string, *smtp.MailOptions) error { return nil }
func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.p.mu.Lock()
	refuse := c.p.refuse
	c.p.mu.Unlock()
	if refuse != nil {
		return refuse(to)
	}
	return nil
}

func (c *counter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return errors.New("not a mail")
	}
	body, _ := io.ReadAll(m.Body)
	c.p.mu.Lock()
	c.p.mails, c.p.raw, c.p.bodies = append(c.p.mails, m), append(c.p.raw, raw), append(c.p.bodies, string(body))
	after := c.p.after
	c.p.mu.Unlock()
	if after != nil {
		return after()
	}
	return nil
}
