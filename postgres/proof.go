package postgres

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// proofKey is read once: it does not change while a process runs.
type proofKey struct {
	mu  sync.Mutex
	key []byte
}

func (k *proofKey) read(ctx context.Context, q querier) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == nil {
		if err := q.QueryRow(ctx, "select value from secrets where name = 'proof'").Scan(&k.key); err != nil {
			return nil, fmt.Errorf("read the key of proofs: %w", err)
		}
	}
	return k.key, nil
}

// Prove gives the proof that the desk took the message from who it names.
func (s *Store) Prove(ctx context.Context, name ticket.Name, m ticket.Message) (string, error) {
	key, err := s.proofs.read(ctx, s.pool)
	if err != nil {
		return "", err
	}
	return ticket.Prove(key, name, m)
}

// Proven says whether the message carries that proof.
func (s *Store) Proven(ctx context.Context, name ticket.Name, m ticket.Message) (bool, error) {
	key, err := s.proofs.read(ctx, s.pool)
	if err != nil {
		return false, err
	}
	return ticket.Proven(key, name, m)
}

// ProveMonth gives the closing of a month with the proof that the desk was asked for it by whom it names.
func (s *Store) ProveMonth(ctx context.Context, m billing.MonthClose) (billing.MonthClose, error) {
	key, err := s.proofs.read(ctx, s.pool)
	if err != nil {
		return m, err
	}
	asked := m
	asked.Proof = ""
	if m.Each {
		asked.Until = ""
	}
	content, err := json.Marshal(asked)
	if err != nil {
		return m, fmt.Errorf("encode the closing of a month: %w", err)
	}
	m.Proof = ticket.Seal(key, "month", content)
	return m, nil
}

// BeginMonth is MayCloseMonth for a workflow: its input can be typed into Temporal, in anybody's name, and what it begins
// cannot be taken back.
func (s *Store) BeginMonth(ctx context.Context, m billing.MonthClose) error {
	proven, err := s.ProveMonth(ctx, m)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(proven.Proof), []byte(m.Proof)) {
		return ticket.Invalid("by", m.By, "has not asked for this: it was typed into Temporal, where anybody may type any name",
			"docket month close, or docket month schedule --off and again, --as "+m.By)
	}
	return s.MayCloseMonth(ctx, m)
}

// unprovenDeed tells who sent a word about money that nobody took from him what to do instead.
func unprovenDeed(h ticket.Header, instead string) string {
	return "nobody has proved that " + h.Who + " said so: it was typed into Temporal, where anybody may type any name; " + instead
}
