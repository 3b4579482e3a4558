package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/docket-psa/docket/billing"
)

// termsCache keeps compiled contract documents by digest. Versions are immutable, so an entry
// is never wrong. Beyond mostTerms of them the one that was compiled first goes: the end of a large house's month looks
// at every contract once, and would keep them all.
type termsCache struct {
	mu       sync.RWMutex
	compiled map[string]*billing.Terms
	order    []string // digests, as they came; a ring once it is full
	next     int      // in the ring: the one that goes
}

// mostTerms compiled contracts are some 13 MB.
const mostTerms = 1024

// keep adds a compiled version, under the lock.
func (c *termsCache) keep(digest string, t *billing.Terms) {
	if _, ok := c.compiled[digest]; ok {
		return // somebody else compiled it meanwhile
	}
	c.compiled[digest] = t
	if len(c.order) < mostTerms {
		c.order = append(c.order, digest)
		return
	}
	delete(c.compiled, c.order[c.next])
	c.order[c.next] = digest
	c.next = (c.next + 1) % mostTerms
}

func newTermsCache() *termsCache { return &termsCache{compiled: map[string]*billing.Terms{}} }

// load gives the compiled terms of a version, reading the document the first time.
func (c *termsCache) load(ctx context.Context, q querier, contract string, revision int, digest string) (*billing.Terms, error) {
	c.mu.RLock()
	t, ok := c.compiled[digest]
	c.mu.RUnlock()
	if ok {
		return t, nil
	}
	var document string
	if err := q.QueryRow(ctx, "select document from contract_versions where contract_id = $1 and revision = $2",
		contract, revision).Scan(&document); err != nil {
		return nil, fmt.Errorf("read contract %s revision %d: %w", contract, revision, err)
	}
	parsed, err := billing.ReadContract([]byte(document))
	if err != nil {
		return nil, fmt.Errorf("stored contract %s revision %d: %w", contract, revision, err)
	}
	t, err = parsed.Compile()
	if err != nil {
		return nil, fmt.Errorf("stored contract %s revision %d: %w", contract, revision, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(digest, t)
	return t, nil
}

// termsOf gives the compiled terms of a contract's revision.
func (s *Store) termsOf(ctx context.Context, q querier, contract string, revision int) (*billing.Terms, error) {
	var digest string
	if err := q.QueryRow(ctx, "select digest from contract_versions where contract_id = $1 and revision = $2",
		contract, revision).Scan(&digest); err != nil {
		return nil, fmt.Errorf("find contract %s revision %d: %w", contract, revision, err)
	}
	return s.terms.load(ctx, q, contract, revision, digest)
}
