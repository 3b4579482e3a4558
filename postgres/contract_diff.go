package postgres

import (
	"context"
	"fmt"

	"github.com/docket-psa/docket/billing"
)

// ContractDiff lists the fields in which two revisions of a contract differ. Revision 0 is the
// last one applied.
func (r Reads) ContractDiff(ctx context.Context, contract string, from, to int) ([]billing.Change, error) {
	var documents [2]*billing.Contract
	for i, revision := range []int{from, to} {
		v, err := r.Contract(ctx, contract, revision)
		if err != nil {
			return nil, err
		}
		if documents[i], err = billing.ReadContract(v.Document); err != nil {
			return nil, fmt.Errorf("contract %s revision %d: %w", contract, v.Revision, err)
		}
	}
	return billing.Diff(documents[0], documents[1]), nil
}
