package main

import (
	"context"
	"time"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/ticket"
)

// lowEvery is how often bought hours are looked at. Each purchase is told of once.
const lowEvery = time.Minute

// courier delivers notices from this process: by mail where a server is set (or the catcher of `docket up` stands in), and to
// endpoints always. What has no sender waits, and the doctor tells of it.
func (a *app) courier(ctx context.Context, s *session, catcher string) (*notify.Courier, error) {
	key, err := a.linkKey(ctx, s)
	if err != nil {
		return nil, err
	}
	words, err := notify.NewWords(a.env("DOCKET_BASE_URL"), key)
	if err != nil {
		return nil, err
	}
	c := &notify.Courier{Outbox: s.store, Now: a.now, Log: a.tel.Log, Senders: []notify.Sender{notify.NewWebhook(a.now)}}
	server, from := or(a.env("DOCKET_SMTP_URL"), catcher), a.env("DOCKET_MAIL_FROM")
	if server == "" {
		return c, nil
	}
	if from == "" && server == catcher {
		from = "Docket <docket@demo.example>"
	}
	mail, err := notify.NewMail(server, from, words, a.now)
	if err != nil {
		return nil, err
	}
	c.Senders = append(c.Senders, mail)
	return c, nil
}

// deliver runs the courier until ctx ends.
func (a *app) deliver(ctx context.Context, s *session, catcher string) error {
	c, err := a.courier(ctx, s, catcher)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	tick := time.NewTicker(lowEvery)
	defer tick.Stop()
	for {
		if _, err := s.store.TellLowBlocks(ctx); err != nil && ctx.Err() == nil {
			a.tel.Log.Warn("block hours were not looked at, trying again", "error", err)
		}
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
	}
}

// linkKey is what signs the links of approval mails: the operator's, or the one that the database keeps.
func (a *app) linkKey(ctx context.Context, s *session) ([]byte, error) {
	own := a.env("DOCKET_LINK_KEY")
	if own == "" {
		return s.store.LinkKey(ctx)
	}
	if len(own) < 32 {
		return nil, ticket.Invalid("DOCKET_LINK_KEY", "", "is too short to be a key", "give at least 32 random characters, such as `openssl rand -base64 32` writes")
	}
	return []byte(own), nil
}
