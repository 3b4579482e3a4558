package postgres

import (
	"context"
	"fmt"
	"sync"

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

// unprovenDeed tells who sent a word about money that nobody took from him what to do instead.
func unprovenDeed(h ticket.Header, instead string) string {
	return "nobody has proved that " + h.Who + " said so: it was typed into Temporal, where anybody may type any name; " + instead
}
