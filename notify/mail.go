package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/docket-psa/docket/ticket"
)

// mailWithin bounds each step with the mail server: the connection, and each message.
const mailWithin = 15 * time.Second

// Mail delivers by SMTP.
type Mail struct {
	words  Words
	from   netmail.Address
	domain string // of Message-IDs
	host   string
	opts   []mail.Option
	now    func() time.Time
}

// NewMail reads where the mail server is: smtp://user:password@host:587 (STARTTLS, which a server beyond this machine must
// offer, or ?tls=none where the network itself is trusted), or smtps://host:465. from is who mails are from: an address, or
// Name <address>. Returns a Problem for a setting that is wrong; passwords are never told.
func NewMail(server, from string, words Words, now func() time.Time) (*Mail, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, ticket.Invalid("DOCKET_SMTP_URL", shown(server), "is not a mail server", "give one like smtp://user:password@mail.example.com:587 or smtps://mail.example.com:465")
	}
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, ticket.Invalid("DOCKET_MAIL_FROM", from, "is not a mail address", "give one like Docket <docket@example.com>")
	}
	m := &Mail{words: words, from: *sender, host: u.Hostname(), now: now}
	_, m.domain, _ = strings.Cut(sender.Address, "@")
	m.opts = []mail.Option{mail.WithTimeout(mailWithin), mail.WithoutNoop(), mail.WithHELO(m.domain)}
	port := 587
	switch tls := u.Query().Get("tls"); {
	case u.Scheme == "smtps":
		port = 465
		m.opts = append(m.opts, mail.WithSSL())
	case tls == "none", tls == "" && loopback(u.Hostname()):
		m.opts = append(m.opts, mail.WithTLSPolicy(mail.NoTLS))
	case tls == "", tls == "required":
		m.opts = append(m.opts, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		return nil, ticket.Invalid("DOCKET_SMTP_URL", "tls="+tls, "is not known", "tls=required (the default) or tls=none")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, ticket.Invalid("DOCKET_SMTP_URL", p, "is not a port", "give a number")
		}
	}
	m.opts = append(m.opts, mail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		m.opts = append(m.opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return m, nil
}

// shown is a URL without its password.
func shown(server string) string {
	if u, err := url.Parse(server); err == nil {
		return u.Redacted()
	}
	return "…"
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Channel is mail.
func (*Mail) Channel() string { return ticket.ByMail }

// Deliver sends over one connection.
func (m *Mail) Deliver(ctx context.Context, notices []ticket.Claimed, tell func(ticket.Claimed, error)) {
	client, err := mail.NewClient(m.host, m.opts...)
	if err == nil {
		err = client.DialWithContext(ctx)
	}
	if err != nil { // the server is away, or refuses us: no notice is to blame
		for _, n := range notices {
			tell(n, fmt.Errorf("reach the mail server %s: %w", m.host, err))
		}
		return
	}
	defer func() { _ = client.Close() }()
	for _, n := range notices {
		if ctx.Err() != nil {
			return
		}
		message, err := m.compose(n)
		if err != nil {
			tell(n, err)
			continue
		}
		err = client.Send(message)
		if message.IsDelivered() { // what broke after the server took it (its answer to RSET) is no failure of the mail
			tell(n, nil)
		} else {
			tell(n, judged(err))
		}
		if err != nil && client.Reset() != nil {
			return // the connection is gone; the rest goes by another
		}
	}
}

// judged tells a refusal for good from what may heal. For good is 5xx about the recipient or the content. 4xx, a connection
// that broke, and a server that refuses us as a sender are put right without this mail being another.
func judged(err error) error {
	var failed *mail.SendError
	if !errors.As(err, &failed) || failed.IsTemp() || failed.ErrorCode() < 500 {
		return err
	}
	switch failed.Reason {
	case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
		return &Refused{err}
	default:
		return err
	}
}

func (m *Mail) compose(n ticket.Claimed) (*mail.Msg, error) {
	to, err := netmail.ParseAddress(n.Email)
	switch {
	case n.Email == "":
		return nil, &Homeless{n.Recipient + " has no mail address"}
	case err != nil:
		return nil, &Homeless{fmt.Sprintf("%q of %s is not a mail address", line(n.Email, 80), n.Recipient)}
	}
	words, err := m.words.Message(n)
	if err != nil {
		return nil, &Refused{err}
	}
	message := mail.NewMsg()
	message.FromMailAddress(&m.from)
	message.ToMailAddress(&netmail.Address{Name: line(n.Name, 80), Address: to.Address})
	message.Subject(words.Subject)
	message.SetMessageIDWithValue(identity(n) + "@" + m.domain)
	message.SetDateWithValue(m.now())
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday notes back
	message.SetBodyString(mail.TypeTextPlain, words.Text)
	message.AddAlternativeString(mail.TypeTextHTML, words.HTML)
	if b := n.Billed; b != nil {
		if answers, err := netmail.ParseAddress(b.Answers); err == nil {
			message.ReplyToMailAddress(answers)
		}
		for _, f := range b.Files {
			if err := message.AttachReader(f.Name, bytes.NewReader(f.Content), mail.WithFileContentType(mail.ContentType(f.MediaType))); err != nil {
				return nil, fmt.Errorf("attach %s: %w", f.Name, err)
			}
		}
	}
	return message, nil
}
