package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/ticket"
)

const (
	hookWithin  = 15 * time.Second
	hooksAtOnce = 8
	hookReads   = 4 << 10 // bytes of an answer: enough to tell why it refused
)

// Webhook delivers by Standard Webhooks (https://www.standardwebhooks.com).
type Webhook struct {
	public  *http.Client // reaches no private network
	private *http.Client
	now     func() time.Time
}

// NewWebhook gives the sender.
func NewWebhook(now func() time.Time) *Webhook {
	return &Webhook{public: hookClient(publicOnly), private: hookClient(nil), now: now}
}

// hookClient follows no redirect, takes no proxy from the environment, and asks control about each address it connects to,
// after names are resolved: a name that changes its mind gains nothing.
func hookClient(control func(network, address string, c syscall.RawConn) error) *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, Control: control}
	return &http.Client{
		Timeout: hookWithin,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: hookWithin,
			MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// shared are the addresses beside the private ones that lie in somebody's own network, or lead back into one.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is not an address", address)
	}
	ip := at.Addr().Unmap()
	inside := ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified()
	for _, p := range shared {
		inside = inside || p.Contains(ip)
	}
	if inside {
		return fmt.Errorf("%s lies in a private network: docket notify endpoint add --private allows it", ip)
	}
	return nil
}

// NewSecret gives a fresh secret, as Standard Webhooks writes them.
func NewSecret() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

const secretPrefix = "whsec_"

// CheckSecret says what is wrong with a secret that somebody brings along.
func CheckSecret(secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || !strings.HasPrefix(secret, secretPrefix) || len(key) < 24 || len(key) > 64 {
		return ticket.Invalid("secret", "", "is not a secret of Standard Webhooks", "whsec_ and 24 to 64 random bytes in base64; leave it out, and Docket makes one")
	}
	return nil
}

// Channel is webhook.
func (*Webhook) Channel() string { return ticket.ByWebhook }

// Deliver posts several at once: one slow endpoint does not hold up the others.
func (w *Webhook) Deliver(ctx context.Context, notices []ticket.Claimed, tell func(ticket.Claimed, error)) {
	type answer struct {
		notice ticket.Claimed
		err    error
	}
	answers := make(chan answer)
	go func() {
		defer close(answers)
		var group errgroup.Group
		group.SetLimit(hooksAtOnce)
		for _, n := range notices {
			if ctx.Err() != nil {
				break
			}
			group.Go(func() error {
				answers <- answer{n, w.post(ctx, n)}
				return nil
			})
		}
		_ = group.Wait()
	}()
	for a := range answers {
		tell(a.notice, a.err)
	}
}

// payload is what an endpoint gets. It holds no link: who has one may answer in a person's name.
type payload struct {
	Type      string    `json:"type"` // docket.asked, docket.breach, …
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Ticket     ticket.ID `json:"ticket,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Invoice    string    `json:"invoice,omitempty"`
	CreditNote string    `json:"credit_note,omitempty"`
	Client     string    `json:"client"`
	ClientName string    `json:"client_name"`
	Urgent     bool      `json:"urgent"`
	Says       string    `json:"says"`
	Hold       string    `json:"hold,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Why        string    `json:"why,omitempty"`
	Amount     string    `json:"amount,omitempty"`
	Currency   string    `json:"currency,omitempty"`
	Step       int       `json:"step,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

func (w *Webhook) post(ctx context.Context, n ticket.Claimed) error {
	p := payload{Type: "docket." + n.Tells, Timestamp: n.At.UTC(), Data: data{
		Ticket: n.Ticket, Subject: n.Subject, Invoice: n.Invoice, CreditNote: n.CreditNote, Client: n.Client, ClientName: n.ClientName,
		Urgent: n.Urgent, Says: n.Says,
	}}
	if q := n.Quote; q != nil {
		p.Data.Hold, p.Data.Kind, p.Data.Reason, p.Data.Why = ticket.HoldID(q.Hold), q.Kind, q.Reason, q.Says
		p.Data.Amount, p.Data.Currency, p.Data.Step, p.Data.ExpiresAt = q.Amount.String(), q.Currency, q.Step, q.Until.UTC()
	}
	body, err := json.Marshal(p)
	if err != nil {
		return &Refused{fmt.Errorf("write notice %d: %w", n.ID, err)}
	}
	signer, err := standardwebhooks.NewWebhook(n.Endpoint.Secret)
	if err != nil {
		return &Refused{fmt.Errorf("the secret of %s: %w", n.Recipient, err)}
	}
	now := w.now()
	signature, err := signer.Sign(identity(n), now, body)
	if err != nil {
		return &Refused{fmt.Errorf("sign notice %d: %w", n.ID, err)}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return &Refused{fmt.Errorf("the address of %s: %w", n.Recipient, err)}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Docket-Webhooks")
	request.Header.Set(standardwebhooks.HeaderWebhookID, identity(n))
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	client := w.public
	if n.Endpoint.Private {
		client = w.private
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("post to %s: %w", n.Recipient, err)
	}
	defer func() { _ = response.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(response.Body, hookReads)) // what it says beside its status is a courtesy
	switch code := response.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusGone: // Standard Webhooks: it wants nothing any more
		return &Refused{fmt.Errorf("%s answered 410 Gone: docket notify endpoint remove %s", n.Recipient, n.Recipient)}
	case code/100 == 3:
		return errors.New(n.Recipient + " answered with a redirect, which is not followed: give the address it leads to")
	default:
		return fmt.Errorf("%s answered %d %s: %s", n.Recipient, code, http.StatusText(code), line(string(said), 200))
	}
}
