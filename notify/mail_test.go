package notify_test

import (
	"context"
	"fmt"
	"mime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestAnApprovalMailSaysWhatHowMuchWhyAndUntilWhen(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	id, _ := h.held("Mailbox is gone")
	require.Equal(t, 1, h.round(h.mail(p.url())))
	require.Equal(t, []string{"asked ann sent 1"}, h.state())
	require.Len(t, p.got(), 1)
	m := p.got()[0]
	require.Equal(t, string(id)+": please approve 600.00 USD (Mailbox is gone)", m.Header.Get("Subject"))
	require.Equal(t, `"Ann" <ann@acme.example>`, m.Header.Get("To"))
	require.Equal(t, "auto-generated", m.Header.Get("Auto-Submitted"))
	body := strings.ReplaceAll(strings.ReplaceAll(p.bodies[0], "=\r\n", ""), "=3D", "=")
	for _, part := range []string{
		"You are asked to agree to 600.00 USD for " + string(id) + ", until Sat 21 Mar 2026, 08:00 EDT.",
		"600.00 USD is more than the 500.00 USD that acme-hourly 5.1 lets pass without sign-off.",
		"https://desk.example.com/approve#v1.", "text/html",
	} {
		require.Contains(t, body, part)
	}
	require.Zero(t, h.round(h.mail(p.url())), "sent once")
}

// The process dies after it took notices and before it sent them: another sends them when the lease is over.
func TestWhatADeadSenderTookIsSentByAnother(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	h.held("Mailbox is gone")
	taken, err := h.ClaimNotices(t.Context(), ticket.ByMail, "dead", time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, taken, 1)
	require.Zero(t, h.round(h.mail(p.url())), "somebody has it")
	h.pass(time.Minute)
	require.Equal(t, 1, h.round(h.mail(p.url())))
	require.Equal(t, []string{"asked ann sent 2"}, h.state())
	// The dead one was only slow: its mark finds its lease gone.
	require.NoError(t, h.EndNotice(t.Context(), taken[0], ticket.NoticeEnd{State: ticket.NoticeDead, Why: "late"}))
	require.Equal(t, []string{"asked ann sent 2"}, h.state())
	require.Len(t, p.got(), 1)
}

// forgetful is an outbox whose process dies before the mark, once.
type forgetful struct {
	*postgres.Store
	once sync.Once
}

func (f *forgetful) EndNotice(ctx context.Context, n ticket.Claimed, end ticket.NoticeEnd) error {
	dies := false
	f.once.Do(func() { dies = true })
	if dies {
		return nil
	}
	return f.Store.EndNotice(ctx, n, end)
}

// The limit, plainly: a mail that was taken and not marked goes out again, under the same Message-ID.
func TestAMailThatWasSentAndNotMarkedCarriesItsIdentityAgain(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	h.held("Mailbox is gone")
	m := h.mail(p.url())
	_, err := h.courier(&forgetful{Store: h.Store}, m).Round(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, []string{"asked ann waiting 1"}, h.state())
	h.pass(10 * time.Minute)
	h.round(m)
	require.Len(t, p.got(), 2)
	require.Equal(t, p.got()[0].Header.Get("Message-ID"), p.got()[1].Header.Get("Message-ID"))
	require.Regexp(t, `^<notice_\d+_\d+@desk\.example>$`, p.got()[0].Header.Get("Message-ID"))
}

func TestTwoSendersSendEachNoticeOnce(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	const n = 45
	for i := range n {
		h.held(fmt.Sprintf("Ticket %d", i))
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			m := h.mail(p.url())
			for {
				took, err := h.courier(h.Store, m).Round(t.Context(), m)
				if err != nil || took == 0 {
					return
				}
			}
		})
	}
	both.Wait()
	seen := map[string]bool{}
	for _, m := range p.got() {
		seen[m.Header.Get("Message-ID")] = true
	}
	require.Len(t, seen, n)
	require.Len(t, p.got(), n)
}

func TestAMailServerThatIsAwayLosesNothing(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	h.held("Mailbox is gone")
	require.NoError(t, p.server.Close())
	m := h.mail(p.url())
	h.round(m)
	require.Equal(t, []string{"asked ann waiting 1"}, h.state())
	require.Zero(t, h.round(m), "not again at once")
	h.pass(5 * time.Second)
	h.round(m)
	require.Equal(t, []string{"asked ann waiting 2"}, h.state())
	p.open(t, p.addr)
	h.pass(30 * time.Second)
	h.round(m)
	require.Equal(t, []string{"asked ann sent 3"}, h.state())
	require.Len(t, p.got(), 1)
}

func TestARefusalForNowAndOneForGood(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	code := 451
	p.refuse = func(string) error { return &smtp.SMTPError{Code: code, Message: "no"} }
	h.held("Mailbox is gone")
	m := h.mail(p.url())
	h.round(m)
	require.Equal(t, []string{"asked ann waiting 1"}, h.state(), "4xx: later")
	code = 550
	h.pass(time.Minute)
	h.round(m)
	require.Equal(t, []string{"asked ann dead 2"}, h.state(), "5xx: never")

	found, err := h.Doctor(t.Context(), postgres.Patience{})
	require.NoError(t, err)
	named := ""
	for _, f := range found {
		if strings.HasPrefix(f.What, "notice") {
			named = f.Why + " " + f.Do
		}
	}
	require.Contains(t, named, "did not reach ann by mail in 2 tries")
	require.Contains(t, named, "docket notify retry")

	p.refuse = nil
	retried, err := h.RetryNotices(t.Context(), 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, retried)
	h.round(m)
	require.Equal(t, []string{"asked ann sent 1"}, h.state())
}

func TestTooManyTriesAreGivenUp(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	p.refuse = func(string) error { return &smtp.SMTPError{Code: 451, Message: "busy"} }
	h.held("Mailbox is gone")
	m := h.mail(p.url())
	for range notify.Tries {
		h.pass(24 * time.Hour)
		h.round(m)
	}
	require.Equal(t, []string{fmt.Sprintf("asked ann dead %d", notify.Tries)}, h.state())
}

func TestWhatIsDecidedBeforeItCouldGoOutDoesNot(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	id, q := h.held("Mailbox is gone")
	p.refuse = func(to string) error {
		if to == "ann@acme.example" {
			return &smtp.SMTPError{Code: 451, Message: "busy"}
		}
		return nil
	}
	m := h.mail(p.url())
	h.round(m)
	_, err := h.SignOff(t.Context(), id, ticket.SignOff{Header: h.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true})
	require.NoError(t, err)
	h.pass(2 * time.Minute)
	h.round(m)
	require.Equal(t, []string{"asked ann moot 1", "approved tom sent 1"}, h.state())
}

func TestNobodyIsDisturbedInQuietHours(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	require.NoError(t, h.SetQuiet(t.Context(), ticket.Quiet{Person: "ann", Zone: "America/New_York", Begins: 18 * 60, Ends: 9 * 60, By: "dora"}))
	id, _ := h.held("Mailbox is gone") // at 8 o'clock
	m := h.mail(p.url())
	h.round(m)
	require.Equal(t, []string{"asked ann waiting 0"}, h.state(), "waiting is no try")
	h.pass(59 * time.Minute)
	require.Zero(t, h.round(m))
	h.pass(time.Minute)
	h.round(m)
	require.Equal(t, []string{"asked ann sent 1"}, h.state())

	// The house's hours are for those who have none; what is urgent goes out.
	require.NoError(t, h.SetQuiet(t.Context(), ticket.Quiet{Zone: "UTC", Begins: 0, Ends: 23*60 + 59, By: "dora"}))
	_, err := h.Reopen(t.Context(), id, ticket.Reopen{Header: h.by("ben"), Reason: "It is gone again."})
	require.NoError(t, err)
	_, err = h.Escalate(t.Context(), id, ticket.Escalate{Header: h.by("dora"), To: "tom", Reason: "He knows it."})
	require.NoError(t, err)
	h.round(m)
	require.Equal(t, []string{"asked ann sent 1", "reopened dora waiting 0", "escalated tom sent 1"}, h.state())
	require.NoError(t, h.EndQuiet(t.Context(), "", "dora"))
	h.round(m)
	require.Equal(t, "reopened dora sent 1", h.state()[1], "what waited goes out at once")
	require.ErrorContains(t, h.SetQuiet(t.Context(), ticket.Quiet{Person: "ann", Zone: "UTC", Begins: 60, Ends: 120, By: "ben"}), "may not set the quiet hours of others")
}

func TestTextOfATicketCannotBecomeAHeader(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	id, _ := h.held("x")
	evil := "Hi\r\nBcc: all@evil.example\r\n\r\n<script>alert(1)</script> \u202egnp.exe \x00" + strings.Repeat("ü", 500)
	_, err := h.admin.Exec(t.Context(), "update tickets set subject = $1", strings.ReplaceAll(evil, "\x00", "\x07"))
	require.NoError(t, err)
	_, err = h.admin.Exec(t.Context(), "update people set name = E'Ann\\r\\nX-Evil: yes \"<boss@evil.example>' where id = 'ann'")
	require.NoError(t, err)
	h.round(h.mail(p.url()))
	require.Equal(t, []string{"asked ann sent 1"}, h.state())
	m := p.got()[0]
	require.Empty(t, m.Header.Get("Bcc"))
	require.Empty(t, m.Header.Get("X-Evil"))
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Len(t, to, 1)
	require.Equal(t, "ann@acme.example", to[0].Address)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(subject, string(id)+": please approve 600.00 USD (Hi Bcc: all@evil.example <script>"), subject)
	require.LessOrEqual(t, len([]rune(subject)), 140)
	require.NotContains(t, subject, "\u202e")
	_, html, _ := strings.Cut(p.bodies[0], "text/html")
	require.Contains(t, html, "&lt;script&gt;")
	require.NotContains(t, html, "<script>")
	for _, l := range strings.Split(string(p.raw[0]), "\r\n") {
		require.LessOrEqual(t, len(l), 998, "RFC 5322")
	}
}

func TestAServerWithoutTLSGetsNoMail(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	h.held("Mailbox is gone")
	h.round(h.mail(p.url() + "?tls=required"))
	require.Equal(t, []string{"asked ann waiting 1"}, h.state())
	require.Empty(t, p.got())
	waiting, err := h.Notices(t.Context(), postgres.NoticeFilter{State: ticket.NoticeWaiting})
	require.NoError(t, err)
	require.Contains(t, waiting[0].LastError, "STARTTLS")
}

func TestAnAddressThatIsNoneIsOnRecord(t *testing.T) {
	h, p := openHouse(t), openPostOffice(t)
	_, err := h.admin.Exec(t.Context(), "update people set email = 'ann at acme' where id = 'ann'")
	require.NoError(t, err)
	h.held("Mailbox is gone")
	m := h.mail(p.url())
	h.round(m)
	require.Equal(t, []string{"asked ann undeliverable 0"}, h.state())
	_, err = h.admin.Exec(t.Context(), "update people set email = 'ann@acme.example' where id = 'ann'")
	require.NoError(t, err)
	_, err = h.RetryNotices(t.Context(), 1)
	require.NoError(t, err)
	h.round(m)
	require.Equal(t, []string{"asked ann sent 1"}, h.state())
	_, err = h.RetryNotices(t.Context(), 1)
	require.ErrorContains(t, err, "is neither dead nor undeliverable")
}
