package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/mailcatch"
	"github.com/docket-psa/docket/internal/telemetry"
	"github.com/docket-psa/docket/ticket"
)

// deliver runs the courier of `docket serve`, with the mail catcher of `docket up`, until the test ends.
func (s *shell) deliver() {
	s.t.Helper()
	a := &app{env: func(name string) string { return s.env[name] }, now: time.Now, zone: time.UTC, data: s.t.TempDir()}
	ctx, stop := context.WithCancel(s.t.Context())
	var err error
	a.tel, err = telemetry.Start(ctx, telemetry.Options{Stderr: s.t.Output(), Version: "test"})
	require.NoError(s.t, err)
	session, err := a.open(ctx)
	require.NoError(s.t, err)
	catcher, err := mailcatch.Start(ctx, session.store.KeepMail)
	require.NoError(s.t, err)
	done := make(chan error, 1)
	go func() { done <- a.deliver(ctx, session, catcher.URL()) }()
	s.t.Cleanup(func() {
		stop()
		assert.NoError(s.t, <-done)
		assert.NoError(s.t, catcher.Close())
		session.close()
	})
}

func TestAnApprovalMailIsAnsweredFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	assert.Contains(t, s.ok("inbox").err, "No mail yet")
	s.deliver()
	opened := read[ticket.Opened](s, "ticket", "open", "--client", "redwood", "--subject", "Rendering workstation shuts down")
	id := string(opened.Ticket)
	s.eventually(opened.Ticket, ticket.Resolution)
	s.ok("ticket", "resolve", id, "--as", "pavel.novak", "--took", "5h", "--resolution", "Firmware reflashed")
	approver := read[[]struct{ Approvers []string }](s, "approval", "list")[0].Approvers[0]

	var mails []ticket.CaughtMail
	require.Eventually(t, func() bool {
		mails = read[[]ticket.CaughtMail](s, "inbox", "--for", approver)
		return len(mails) == 1
	}, 30*time.Second, 50*time.Millisecond)
	assert.Contains(t, mails[0].Subject, id+": please approve")
	shown := s.ok("inbox", "show", strconv.FormatInt(mails[0].ID, 10)).out
	for _, part := range []string{"please approve", "You are asked to agree to", "Why", "Until", "docket approval redeem v1.", "do not pass it on"} {
		assert.Contains(t, shown, part)
	}
	link := regexp.MustCompile(`v1\.[\w-]+\.[\w-]+`).FindString(shown)

	look := s.ok("approval", "redeem", link)
	assert.Contains(t, look.out, "Rendering workstation shuts down")
	assert.Contains(t, look.err, "Answer with --approve")
	assert.Equal(t, exitBadInput, s.docket("approval", "redeem", link[:len(link)-2]+"xx", "--approve").code)
	assert.Equal(t, exitBadInput, s.docket("approval", "redeem", link, "--decline").code, "a reason is missing")
	assert.Contains(t, s.ok("approval", "redeem", link, "--approve").out, "posted")
	s.eventually(opened.Ticket, ticket.Posted)
	late := s.docket("approval", "redeem", link)
	assert.Equal(t, exitNoEffect, late.code)
	assert.Contains(t, late.err, "has no effect any more")
	assert.Contains(t, s.ok("approval", "show", "H-1").out, "link of "+approver)

	require.Eventually(t, func() bool {
		return strings.Count(s.ok("notify", "list").out, " sent ") == 3
	}, 30*time.Second, 50*time.Millisecond, "the technician heard of the ticket, and hears of the answer")
	assert.Equal(t, exitBadInput, s.docket("notify", "retry", "1").code, "it is sent")
	assert.Contains(t, s.ok("notify", "retry", "--all").out, "0 notices")
}

func TestWhereNoticesGoAndWhenTheyWait(t *testing.T) {
	s := openShop(t)
	added := s.ok("notify", "endpoint", "add", "chat", "--url", "https://hooks.example.com/docket", "--tells", "breach,exception", "--as", "mara.lindqvist")
	assert.Contains(t, added.out, "whsec_")
	assert.NotContains(t, s.ok("notify", "endpoint", "add", "chat", "--url", "https://hooks.example.com/other", "--as", "mara.lindqvist").out, "whsec_", "it keeps its secret")
	listed := s.ok("notify", "endpoint", "list").out
	assert.Contains(t, listed, "https://hooks.example.com/other")
	assert.NotContains(t, s.ok("-o", "json", "notify", "endpoint", "list").out, "whsec_")
	assert.Equal(t, exitBadInput, s.docket("notify", "endpoint", "add", "chat", "--url", "http://10.0.0.1", "--as", "mara.lindqvist").code)
	assert.Equal(t, exitBadInput, s.docket("notify", "endpoint", "add", "mine", "--url", "https://hooks.example.com", "--as", "dana.wolfe").code)
	s.ok("notify", "endpoint", "remove", "chat", "--as", "mara.lindqvist")
	assert.Contains(t, s.ok("notify", "endpoint", "list").err, "None.")

	assert.Contains(t, s.ok("person", "quiet", "dana.wolfe", "--hours", "22:00-07:00", "--zone", "America/Chicago", "--weekend", "--as", "dana.wolfe").out,
		"dana.wolfe is quiet 22:00-07:00 in America/Chicago, and all weekend.")
	assert.Contains(t, s.ok("person", "quiet", "--house", "--hours", "20:00-06:00", "--zone", "UTC", "--as", "mara.lindqvist").out, "the house is quiet")
	assert.Contains(t, s.ok("person", "quiet").out, "dana.wolfe")
	assert.Contains(t, s.docket("person", "quiet", "dana.wolfe", "--hours", "9", "--zone", "UTC", "--as", "dana.wolfe").err, "22:00-07:00")
	assert.Contains(t, s.docket("person", "quiet", "dana.wolfe", "--hours", "22:00-07:00", "--zone", "Mars", "--as", "dana.wolfe").err, "is not a time zone")
	s.ok("person", "quiet", "dana.wolfe", "--off", "--as", "dana.wolfe")
	assert.NotContains(t, s.ok("person", "quiet").out, "dana.wolfe")
}
