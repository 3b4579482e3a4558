package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestSplitAndMergeTakenBackFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	opened := read[ticket.Opened](s, "ticket", "open", "--client", "redwood", "--subject", "Printer and mailbox are broken")
	id := string(opened.Ticket)
	s.eventually(opened.Ticket, ticket.Resolution)
	s.ok("ticket", "work", id, "--as", "pavel.novak", "--took", "30m", "--note", "Mailbox repaired")
	assert.Contains(t, s.ok("ticket", "show", id).out, "work W-1")

	refused := s.docket("ticket", "split", id, "--work", "3rd", "--subject", "The mailbox", "--as", "pavel.novak")
	assert.Equal(t, exitBadInput, refused.code)
	assert.Contains(t, refused.err, "write it like W-3")
	split := read[ticket.Answer](s, "ticket", "split", id, "--work", "W-1", "--subject", "The mailbox", "--as", "pavel.novak")
	require.NotEmpty(t, split.Split)
	s.eventually(split.Split, ticket.Resolution)
	assert.Contains(t, s.ok("ticket", "show", string(split.Split)).out, "split it off "+id)
	assert.Contains(t, s.ok("ticket", "show", id).out, "split "+string(split.Split)+" off "+id+", with W-1")

	s.ok("ticket", "merge", string(split.Split), "--into", id, "--as", "pavel.novak")
	assert.Contains(t, s.ok("ticket", "unmerge", string(split.Split), "--reason", "They are two", "--as", "pavel.novak").out, "it goes on in round 2")
	s.eventually(split.Split, ticket.Resolution)
	assert.Equal(t, exitNoEffect, s.docket("ticket", "unmerge", id, "--reason", "They are two", "--as", "pavel.novak").code)

	s.ok("ticket", "resolve", string(split.Split), "--resolution", "Mailbox repaired", "--as", "pavel.novak")
	assert.Equal(t, exitNoEffect, s.docket("ticket", "reply", string(split.Split), "--body", "Thanks a lot!", "--as", "pavel.novak").code)
	assert.Contains(t, s.ok("ticket", "reply", string(split.Split), "--body", "Mail still does not arrive", "--as", "pavel.novak").out, "which reopened it")
}
