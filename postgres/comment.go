package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-psa/docket/ticket"
)

// AddComment adds a row to the ticket's conversation and gives its number; the same key twice is one row. What a
// client's person writes is public. After a merge the words go to the ticket that carries on. Returns a Problem for an
// unknown ticket or author, for a body that cannot be stored, and for a key that stands for other words.
func (s *Store) AddComment(ctx context.Context, id ticket.ID, operationKey, author, body string, public bool, at time.Time) (comment int64, err error) {
	if err := plainText("body", body, ticket.MaxDescription); err != nil {
		return 0, err
	}
	if operationKey == "" || len(operationKey) > ticket.MaxKey {
		return 0, ticket.Invalid("operation_key", operationKey, "is empty or too long", "give a key of your own, at most 200 bytes; the same key twice is one comment")
	}
	err = s.tx(ctx, fmt.Sprintf("comment on %s", id), func(t *tx) error {
		var (
			here   *standing
			before *said
			people = map[string]actor{}
		)
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1 for share of t", id.Number()).Query(row(&here)) // a merge waits, and moves it along
		b.Queue("select id, author, body from comments where operation_key = $1", operationKey).Query(row(&before))
		queueActors(b, []string{author}, people)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		who, err := pick(people, "author", author)
		if author == itself { // a remark on what no person did
			err = nil
		}
		switch {
		case here == nil:
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		case before != nil && (before.Author != author || before.Body != body):
			return ticket.Invalid("operation_key", operationKey, "was used for another comment", "choose a new key for a new comment; repeat a comment unchanged")
		case before != nil:
			comment = before.ID
			return nil
		case err != nil:
			return err
		case who.Client != "" && who.Client != here.Client:
			return ticket.Invalid("author", author, "belongs to another client", "only people of "+here.Client+" and of the desk write on its tickets")
		}
		number := here.Number
		if here.Into != 0 {
			number = here.Into
		}
		if at.IsZero() {
			at = s.now()
		}
		b = t.batch()
		b.Queue(`
insert into comments (ticket, client_id, operation_key, author, public, body, at) values ($1, $2, $3, $4, $5, $6, $7) returning id`,
			number, here.Client, operationKey, author, public || who.Client != "", body, at).Query(one(&comment))
		return t.commit(ctx, b)
	})
	return comment, err
}

type said struct {
	ID     int64
	Author string
	Body   string
}

// plainText refuses what a text column cannot hold.
func plainText(field, text string, longest int) error {
	switch {
	case strings.TrimSpace(text) == "":
		return ticket.Invalid(field, text, "is empty", "write something")
	case len(text) > longest:
		return ticket.Invalid(field, text, fmt.Sprintf("is %d bytes long", len(text)), fmt.Sprintf("at most %d fit; attach the rest as a file elsewhere and link it", longest))
	case strings.IndexByte(text, 0) >= 0:
		return ticket.Invalid(field, strings.ReplaceAll(text, "\x00", "␀"), "has a NUL byte", "send plain UTF-8 text")
	case !utf8.ValidString(text):
		return ticket.Invalid(field, text, "is not UTF-8", "send plain UTF-8 text")
	}
	return nil
}
