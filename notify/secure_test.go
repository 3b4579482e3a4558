package notify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
)

// The one who may send through a postOffice that asks who it is, and a password that no URL can carry as it is.
const (
	mailUser     = "docket"
	mailPassword = "correct horse/battery@staple"
	mailAccount  = mailUser + ":correct%20horse%2Fbattery%40staple@"
)

// guarded takes one conversation, of somebody who says first who he is.
type guarded struct {
	counter
	how   string
	known bool
}

func (c *guarded) AuthMechanisms() []string { return []string{c.how} }

func (c *guarded) Auth(string) (sasl.Server, error) {
	check := func(_, user, password string) error {
		if user != mailUser || password != mailPassword {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Authentication credentials invalid"}
		}
		c.known = true
		return nil
	}
	if c.how == sasl.Plain {
		return sasl.NewPlainServer(check), nil
	}
	return &loginServer{check: check}, nil
}

func (c *guarded) Mail(from string, o *smtp.MailOptions) error {
	if !c.known {
		return smtp.ErrAuthRequired
	}
	return c.counter.Mail(from, o)
}

// loginServer is AUTH LOGIN, which no RFC tells and many servers speak: it asks for the name, then for the password.
type loginServer struct {
	check func(identity, user, password string) error
	asked int
	user  string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check("", l.user, string(response))
	}
}

// openSecurePostOffice speaks TLS, from the first byte or after STARTTLS, and takes mails of mailUser alone.
func openSecurePostOffice(t testing.TB, how string, implicit bool) *postOffice {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &postOffice{addr: l.Addr().String()}
	p.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &guarded{counter: counter{p: p}, how: how}, nil
	}))
	p.server.Domain, p.server.ReadTimeout, p.server.TLSConfig = "localhost", time.Minute, ours.server
	if implicit {
		l = tls.NewListener(l, ours.server)
	}
	go func() { _ = p.server.Serve(l) }()
	t.Cleanup(func() { _ = p.server.Close() })
	return p
}

func TestMailGoesThroughTLSToAServerThatAsksWhoItIs(t *testing.T) {
	for _, c := range []struct {
		name, how string
		implicit  bool
		url       string
	}{
		{"STARTTLS, AUTH PLAIN", sasl.Plain, false, "smtp://%s?tls=required"},
		{"STARTTLS, AUTH LOGIN", "LOGIN", false, "smtp://%s?tls=required"},
		{"TLS from the first byte, AUTH PLAIN", sasl.Plain, true, "smtps://%s"},
		{"TLS from the first byte, AUTH LOGIN", "LOGIN", true, "smtps://%s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, p := openHouse(t), openSecurePostOffice(t, c.how, c.implicit)
			h.held("Mailbox is gone")
			require.Equal(t, 1, h.round(h.mail(strings.ReplaceAll(c.url, "%s", mailAccount+p.addr))))
			require.Equal(t, []string{"asked ann sent 1"}, h.state())
			require.Len(t, p.got(), 1)
		})
	}
}

// A wrong password is put right without the mail being another: it is tried again, and nobody reads the password.
func TestAWrongPasswordIsToldWithoutItAndTriedAgain(t *testing.T) {
	for how, account := range map[string]string{sasl.Plain: mailUser + ":secret1@", "LOGIN": "stranger:secret1@"} {
		t.Run(how, func(t *testing.T) {
			h, p := openHouse(t), openSecurePostOffice(t, how, false)
			h.held("Mailbox is gone")
			h.round(h.mail("smtp://" + account + p.addr + "?tls=required"))
			require.Equal(t, []string{"asked ann waiting 1"}, h.state())
			why := h.lastError()
			require.Contains(t, why, "the mail server 127.0.0.1")
			require.Contains(t, why, "535")
			require.NotContains(t, why, "secret1")
			require.NotContains(t, why, "c2VjcmV0MQ") // nor in base64
			require.Empty(t, p.got())

			right := h.mail("smtp://" + mailAccount + p.addr + "?tls=required")
			require.Zero(t, h.round(right), "not before its time")
			h.pass(5 * time.Second)
			require.Equal(t, 1, h.round(right))
			require.Equal(t, []string{"asked ann sent 2"}, h.state())
		})
	}
}

// A name and a password go to nobody who does not speak TLS first, or cannot prove who it is.
func TestAPasswordGoesOnlyToAServerThatProvesItself(t *testing.T) {
	t.Run("no STARTTLS", func(t *testing.T) {
		h, p := openHouse(t), openPostOffice(t)
		h.held("Mailbox is gone")
		h.round(h.mail("smtp://" + mailAccount + p.addr + "?tls=required"))
		require.Equal(t, []string{"asked ann waiting 1"}, h.state())
		require.Contains(t, h.lastError(), "does not support STARTTLS")
		require.Empty(t, p.got())
	})
	t.Run("no TLS at all", func(t *testing.T) {
		h, p := openHouse(t), openPostOffice(t)
		h.held("Mailbox is gone")
		h.round(h.mail("smtps://" + mailAccount + p.addr))
		require.Equal(t, []string{"asked ann waiting 1"}, h.state())
		require.Contains(t, h.lastError(), "tls: ")
		require.Empty(t, p.got())
	})
	for scheme, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		t.Run("a certificate of another name, "+scheme, func(t *testing.T) {
			h, p := openHouse(t), openSecurePostOffice(t, sasl.Plain, implicit)
			h.held("Mailbox is gone")
			_, port, err := net.SplitHostPort(p.addr)
			require.NoError(t, err)
			query := map[bool]string{false: "?tls=required"}[implicit]
			h.round(h.mail(scheme + "://" + mailAccount + "localhost:" + port + query)) // the certificate is of 127.0.0.1
			require.Equal(t, []string{"asked ann waiting 1"}, h.state())
			require.Contains(t, h.lastError(), "certificate")
			require.Empty(t, p.got())
		})
	}
}

func (h *house) lastError() string {
	h.t.Helper()
	list, err := h.Notices(h.t.Context(), postgres.NoticeFilter{})
	require.NoError(h.t, err)
	require.Len(h.t, list, 1)
	return list[0].LastError
}

// ours is an authority of these tests' own and the certificate that it gives their mail servers.
var ours struct{ server *tls.Config }

// trustOurs makes this process trust the authority as an operator does: by SSL_CERT_FILE, which Go reads once, before
// the first certificate is looked at.
func trustOurs(dir string) error {
	authority, authorityKey, err := certificate(nil, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Docket's tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	if err != nil {
		return err
	}
	leaf, key, err := certificate(authority, authorityKey, &x509.Certificate{
		Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	ours.server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	file := filepath.Join(dir, "authority.pem")
	written := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}), 0o600)
	return errors.Join(written, os.Setenv("SSL_CERT_FILE", file))
}

// certificate signs one, by the authority or, without one, by itself.
func certificate(authority *x509.Certificate, by *ecdsa.PrivateKey, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if authority == nil {
		authority, by = c, key
	}
	now := time.Now()
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(now.UnixNano()), now.Add(-time.Hour), now.Add(time.Hour)
	raw, err := x509.CreateCertificate(rand.Reader, c, authority, &key.PublicKey, by)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(raw)
	return signed, key, err
}
