package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// logged writes minutes of the person's work and gives the number of the entry.
func (k *till) logged(id ticket.ID, who string, minutes int) int64 {
	k.t.Helper()
	m := ticket.Work{Header: k.by(who), Entry: k.minutes(who, minutes)}
	answer, err := k.Log(k.t.Context(), id, m)
	require.NoError(k.t, err)
	require.True(k.t, answer.Effect, answer.Says)
	return k.count("select id from work_entries where operation_key = $1", m.Entry.OperationKey)
}

func (k *till) split(id ticket.ID, subject string, work ...int64) ticket.Answer {
	k.t.Helper()
	answer, err := k.Split(k.t.Context(), id, ticket.SplitOff{Header: k.by("dora"), Subject: subject, Work: work})
	require.NoError(k.t, err)
	return answer
}

func (k *till) unmerge(id ticket.ID) ticket.Answer {
	k.t.Helper()
	answer, err := k.Unmerge(k.t.Context(), id, ticket.Unmerge{Header: k.by("dora"), Reason: "two different printers"})
	require.NoError(k.t, err)
	return answer
}

// reply says something as the person, and gives what became of it.
func (k *till) reply(id ticket.ID, who, words string) ticket.Answer {
	k.t.Helper()
	h := k.by(who)
	row, err := k.AddComment(k.t.Context(), id, h.OperationKey, who, words, true, h.At)
	require.NoError(k.t, err)
	m := ticket.Reply{Header: h, Comment: row}
	answer, err := k.Reply(k.t.Context(), id, m)
	require.NoError(k.t, err)
	again, err := k.Reply(k.t.Context(), id, m)
	require.NoError(k.t, err)
	require.Equal(k.t, answer, again, "the same reply again has one effect")
	return answer
}

func TestASplitTicketTakesItsWorkAlongAndBillsItOnce(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	keeps, goes := k.logged(id, "tom", 60), k.logged(id, "dora", 90)
	item, err := k.AddItem(t.Context(), id, ticket.Material{Header: k.by("tom"), Kind: ticket.Part, Text: "SSD", Cost: "80.00", Price: "", Currency: "USD"})
	require.NoError(t, err)
	require.True(t, item.Effect)
	m := ticket.SplitOff{Header: k.by("dora"), Subject: "The mailbox of the new site", Category: "email", Work: []int64{goes}, Items: []int64{k.count("select id from ticket_items")}}
	first, err := k.Split(t.Context(), id, m)
	require.NoError(t, err)
	require.True(t, first.Effect, first.Says)
	require.Contains(t, first.Says, fmt.Sprintf("split %s off %s, with W-%d, I-", first.Split, id, goes))
	again, err := k.Split(t.Context(), id, m)
	require.NoError(t, err)
	require.Equal(t, first, again)

	require.Equal(t, id.Number(), k.count("select split_from from tickets where number = $1", first.Split.Number()))
	require.EqualValues(t, 1, k.count("select count(*) from outbox where ticket = $1 and round = 1", first.Split.Number()))
	k.begin(first.Split, 1)
	require.Equal(t, "150", k.close(id, 1).Posted[0].Amount.String(), "an hour stays")
	rest := k.close(first.Split, 1)
	require.Equal(t, "225", rest.Posted[0].Amount.String(), "an hour and a half went")
	require.EqualValues(t, 1, k.count("select count(distinct ticket) from charge_work cw join charges c on c.id = cw.charge_id where cw.work_id = $1", keeps))
	k.proved()
}

func TestASplitIsTakenBackByMerging(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	off := k.split(id, "Something else", k.logged(id, "tom", 60)).Split
	require.True(t, k.merge(off, id).Effect)
	require.Equal(t, "150", k.close(id, 1).Posted[0].Amount.String())
	k.proved()
}

func TestWhatCannotBeSplitIsAnsweredWithWhatIsTrue(t *testing.T) {
	k := newTill(t, hourly)
	other := k.ticket("email")
	elsewhere := k.logged(other, "tom", 15)

	posted := k.ticket("email")
	done := k.logged(posted, "tom", 60)
	k.close(posted, 1)
	answer := k.split(posted, "Too late", done)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, "is closed; reopen it to split it")

	held := k.ticket("email")
	big := k.logged(held, "tom", 240)
	require.Len(t, k.close(held, 1).Held, 1)
	answer = k.split(held, "Too late", big)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, "waits for a person")
	require.Contains(t, answer.Says, "or reopen it")

	id := k.ticket("email")
	k.logged(id, "tom", 15)
	_, err := k.Split(t.Context(), id, ticket.SplitOff{Header: k.by("dora"), Subject: "x", Work: []int64{elsewhere}})
	require.ErrorContains(t, err, fmt.Sprintf("W-%d", elsewhere))
	_, err = k.Split(t.Context(), id, ticket.SplitOff{Header: k.by("ann"), Subject: "x", Work: []int64{elsewhere}})
	require.ErrorContains(t, err, "may not split a ticket")
	_, err = k.Split(t.Context(), id, ticket.SplitOff{Header: k.by("dora"), Subject: "x"})
	require.ErrorContains(t, err, "--work W-3,W-4")
	require.EqualValues(t, 2, k.count("select count(*) from ticket_events where kind = 'split' and not effect"))
	require.EqualValues(t, 4, k.count("select count(*) from tickets"))

	t.Run("what an earlier round keeps billed", func(t *testing.T) {
		k := newTill(t, hourly+"reopen: keep\n")
		id := k.ticket("email")
		work := k.logged(id, "tom", 60)
		k.close(id, 1)
		k.reopen(id)
		answer := k.split(id, "Late", work)
		require.False(t, answer.Effect)
		require.Contains(t, answer.Says, "has billed W-")
	})
}

func TestASplitThatRacesClosingBillsEveryMinuteOnce(t *testing.T) {
	k := newTill(t, hourly)
	for range 10 {
		k.pass(4 * time.Hour)
		id := k.ticket("email")
		work := k.logged(id, "dora", 60)
		var answer ticket.Answer
		var errs [2]error
		both(
			func() {
				answer, errs[0] = k.Split(t.Context(), id, ticket.SplitOff{Header: k.by("dora"), Subject: "A part of it", Category: "email", Work: []int64{work}})
			},
			func() { _, errs[1] = k.Close(t.Context(), id, 1, k.resolve("tom", k.minutes("tom", 30))) },
		)
		require.NoError(t, errors.Join(errs[:]...))
		if answer.Effect {
			k.begin(answer.Split, 1)
			k.close(answer.Split, 1)
		}
		require.EqualValues(t, 1, k.count("select count(*) from charge_work where work_id = $1", work))
	}
	require.Equal(t, "2250.00", k.owed(), "ten times an hour and a half")
	k.proved()
}

func both(a, b func()) {
	done := make(chan struct{})
	go func() { defer close(done); a() }()
	b()
	<-done
}

func TestEdge07AMergeIsTakenBack(t *testing.T) {
	k := newTill(t, hourly)
	child, parent := k.ticket("email"), k.ticket("email")
	work, own := k.logged(child, "tom", 60), k.logged(parent, "dora", 30)
	_, err := k.AddComment(t.Context(), child, k.key(), "ann", "Any news?", true, k.now())
	require.NoError(t, err)
	require.True(t, k.merge(child, parent).Effect)
	require.Equal(t, parent.Number(), k.count("select ticket from work_entries where id = $1", work))

	answer := k.unmerge(child)
	require.True(t, answer.Effect, answer.Says)
	require.Equal(t, 2, answer.Round)
	require.Equal(t, child.Number(), k.count("select ticket from work_entries where id = $1", work))
	require.Equal(t, parent.Number(), k.count("select ticket from work_entries where id = $1", own))
	require.Equal(t, child.Number(), k.count("select ticket from comments"))
	require.EqualValues(t, 1, k.count("select count(*) from ticket_events u join ticket_events m on m.id = u.undoes and m.kind = 'merge' where u.kind = 'unmerge'"),
		"the deed names the one that it takes back")
	require.EqualValues(t, 2, k.count("select round from outbox where ticket = $1", child.Number()))

	k.begin(child, 2)
	require.Equal(t, "150", k.close(child, 2).Posted[0].Amount.String())
	require.Equal(t, "75", k.close(parent, 1).Posted[0].Amount.String())
	k.proved()
	require.False(t, k.unmerge(child).Effect, "it is not merged any more")
}

func TestEdge07AMergeWhoseWorkIsBilledIsTakenBackOnlyAfterReopening(t *testing.T) {
	k := newTill(t, hourly)
	child, parent := k.ticket("email"), k.ticket("email")
	work := k.logged(child, "tom", 60)
	k.merge(child, parent)
	k.close(parent, 1)
	answer := k.unmerge(child)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, fmt.Sprintf("W-%d is billed. Billed work never moves; reopen %s", work, parent))
	require.Equal(t, "150.00", k.owed())

	k.reopen(parent)
	require.True(t, k.unmerge(child).Effect, "the linked reversal has set it free")
	k.begin(child, 2)
	k.close(child, 2)
	require.Equal(t, "150.00", k.owed())
	k.proved()
}

func TestMergesThatFollowedAreTakenBackFirst(t *testing.T) {
	k := newTill(t, hourly)
	first, second, third := k.ticket("email"), k.ticket("email"), k.ticket("email")
	work := k.logged(first, "tom", 60)
	k.merge(first, second)
	k.merge(second, third)
	answer := k.unmerge(first)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, fmt.Sprintf("%s was merged into %s itself", second, third))
	require.False(t, k.merge(third, first).Effect, "no cycle: the first one lives on in the third")
	require.True(t, k.unmerge(second).Effect)
	require.True(t, k.unmerge(first).Effect)
	require.Equal(t, first.Number(), k.count("select ticket from work_entries where id = $1", work))

	again := k.ticket("email")
	lent := k.logged(again, "tom", 30)
	k.merge(again, third)
	off := k.split(third, "Elsewhere", lent).Split
	answer = k.unmerge(again)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, "was split off it since")
	k.merge(off, third)
	require.True(t, k.unmerge(again).Effect)
	k.proved()
}

func TestACancelledTicketIsReopened(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	_, err := k.Cancel(t.Context(), id, ticket.Cancel{Header: k.by("ann"), Reason: "it works again"})
	require.NoError(t, err)
	late, err := k.Log(t.Context(), id, ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 60)})
	require.NoError(t, err)
	require.False(t, late.Effect)
	require.Contains(t, late.Says, "was cancelled; reopen it to")

	k.reopen(id)
	require.EqualValues(t, 1, k.count("select count(*) from ticket_events r join ticket_events c on c.id = r.undoes and c.kind = 'cancel' where r.kind = 'reopen'"))
	k.begin(id, 2)
	require.Equal(t, "150", k.close(id, 2, k.minutes("tom", 60)).Posted[0].Amount.String())
	k.proved()
}

func TestATicketWithWorkIsCancelledOnlyByARuling(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.logged(id, "tom", 60)
	answer, err := k.Cancel(t.Context(), id, ticket.Cancel{Header: k.by("dora"), Reason: "spam"})
	require.NoError(t, err)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, "has work logged on it (1 entries) and is not cancelled")
}

func TestEdge55SpamIsAPersonsWordAndIsTakenBackByReopening(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	work := k.logged(id, "tom", 60)
	spam := ticket.Resolve{Header: k.by("bot"), Resolution: "Spam", Code: ticket.Spam}
	_, err := k.Close(t.Context(), id, 1, spam)
	require.ErrorContains(t, err, fmt.Sprintf("W-%d by tom", work), "an agent does not give people's work away")
	require.Zero(t, k.count("select count(*) from closures"))

	spam.Header = k.by("tom")
	_, err = k.Close(t.Context(), id, 1, spam)
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed())
	k.proved()

	k.reopen(id)
	require.EqualValues(t, 1, k.count("select count(*) from ticket_events r join ticket_events c on c.id = r.undoes and c.kind = 'closed' where r.kind = 'reopen'"))
	k.begin(id, 2)
	require.Equal(t, "150", k.close(id, 2).Posted[0].Amount.String(), "rated afresh")
	k.proved()
}

func TestEdge53AMoveIsTakenBackWithWhatItLeft(t *testing.T) {
	k := newTill(t, hourly)
	key := k.key()
	opened, err := k.Open(t.Context(), ticket.Opening{
		Client: "acme", Subject: "Mail", Source: "test", ExternalID: key, EventID: key, Category: "email", Contact: "ann", Device: "ws-7", OpenedAt: k.now().Add(-8 * time.Hour),
	})
	require.NoError(t, err)
	id := opened.Ticket
	k.begin(id, 1)
	k.logged(id, "tom", 60)
	move := func(client string) {
		answer, err := k.Move(t.Context(), id, ticket.Move{Header: k.by("dora"), Client: client, Reason: "the wrong one"})
		require.NoError(t, err)
		require.True(t, answer.Effect, answer.Says)
	}
	move("zenith")
	require.Zero(t, k.count("select count(*) from tickets where contact_id is not null or device <> ''"))
	move("acme")
	require.EqualValues(t, 1, k.count("select count(*) from tickets where contact_id = 'ann' and device = 'ws-7' and client_id = 'acme'"))
	require.EqualValues(t, 1, k.count("select count(*) from ticket_events b join ticket_events a on a.id = b.undoes where b.kind = 'move'"))
	require.Equal(t, "150", k.close(id, 1).Posted[0].Amount.String())
	k.proved()
}

func TestEdge59AThankYouDoesNotReopen(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 10))
	require.Equal(t, "75.00", k.owed(), "half an hour is the minimum")

	answer := k.reply(id, "ann", "Thanks a lot, Tom!\n\nKind regards\nAnn\n> Your mailbox is repaired. Does it work?\n")
	require.False(t, answer.Effect)
	require.Equal(t, 1, answer.Round)
	require.Contains(t, answer.Says, "Ann only thanked (by the word \"thanks\")")
	require.EqualValues(t, 1, k.count("select round from tickets"))
	require.Equal(t, "75.00", k.owed(), "no new round, no new minimum")

	answer = k.reply(id, "ann", "Thank you, but it is still slow.")
	require.True(t, answer.Effect)
	require.Equal(t, 2, answer.Round)
	require.Contains(t, answer.Says, "Ann replied (by the word \"but\"), which reopened it")
	require.Equal(t, "0.00", k.owed(), "the next closing rates afresh")
	k.pass(2 * time.Hour)
	k.begin(id, 2)
	k.close(id, 2, k.minutes("tom", 10))
	require.Equal(t, "150.00", k.owed(), "two entries, each of half an hour at least")

	answer = k.reply(id, "ann", "Invoice 17")
	require.True(t, answer.Effect, "what cannot be told from a question reopens")
	k.proved()
}

func TestEdge59AReplyThatRacesAClosingIsNeverLost(t *testing.T) {
	k := newTill(t, hourly)
	for range 10 {
		k.pass(2 * time.Hour)
		id := k.ticket("email")
		var answer ticket.Answer
		var receipt billing.Receipt
		var errs [2]error
		h := k.by("ann")
		row, err := k.AddComment(t.Context(), id, h.OperationKey, "ann", "It is still slow", true, h.At)
		require.NoError(t, err)
		both(
			func() { answer, errs[0] = k.Reply(t.Context(), id, ticket.Reply{Header: h, Comment: row}) },
			func() { receipt, errs[1] = k.Close(t.Context(), id, 1, k.resolve("tom", k.minutes("tom", 30))) },
		)
		require.NoError(t, errors.Join(errs[:]...))
		require.Equal(t, 1, receipt.Round)
		require.Equal(t, answer.Effect, k.count("select round from tickets where number = $1", id.Number()) == 2,
			"it came before the closing, and was read then, or it reopened the ticket: %s", answer.Says)
	}
	k.proved()
}

func TestAMessageRepeatedAfterItsTicketWasMergedIsAnsweredAsBefore(t *testing.T) {
	k := newTill(t, hourly)
	id, into, other := k.ticket("email"), k.ticket("email"), k.ticket("email")
	m := ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 60)}
	first, err := k.Log(t.Context(), id, m)
	require.NoError(t, err)
	k.merge(id, into)
	again, err := k.Log(t.Context(), into, m) // as the desk sends it: to the ticket that carries on
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = k.Log(t.Context(), other, m)
	require.ErrorContains(t, err, "was used for another message")
	require.EqualValues(t, 1, k.count("select count(*) from work_entries"))
}
