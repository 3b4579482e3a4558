package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

var (
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	ibanShape   = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
)

// SetCompany says who the MSP is, as its invoices name it.
func (s *Store) SetCompany(ctx context.Context, p billing.Party, by string) error {
	err := partyProblems(p, true)
	if err != nil {
		return err
	}
	return s.setParty(ctx, by, "set what the company is", p, func(b *pgx.Batch, party string) {
		b.Queue(`
insert into company (party, set_by, set_at) values ($1, $2, $3)
on conflict (one) do update set party = excluded.party, set_by = excluded.set_by, set_at = excluded.set_at`, party, by, s.now())
	})
}

// SetClientParty says where a client's invoices go, and who it is by law.
func (s *Store) SetClientParty(ctx context.Context, client string, p billing.Party, by string) error {
	if err := errors.Join(partyProblems(p, false), s.clientExists(ctx, client)); err != nil {
		return err
	}
	return s.setParty(ctx, by, "set a client's address", p, func(b *pgx.Batch, party string) {
		b.Queue("update clients set party = $2 where id = $1", client, party)
	})
}

func (s *Store) setParty(ctx context.Context, by, what string, p billing.Party, queue func(*pgx.Batch, string)) error {
	party, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode an address: %w", err)
	}
	return s.tx(ctx, what, func(t *tx) error {
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, by, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, by, what); err != nil {
			return err
		}
		b = t.batch()
		queue(b, string(party))
		return t.commit(ctx, b)
	})
}

func partyProblems(p billing.Party, ours bool) error {
	var errs []error
	if ours {
		errs = append(errs, named("name", p.Name))
	}
	if !countryCode.MatchString(p.Country) {
		errs = append(errs, ticket.Invalid("country", p.Country, "is not a country", "give two capital letters of ISO 3166, such as DE"))
	}
	if p.IBAN != "" && !ibanAdds(p.IBAN) {
		errs = append(errs, ticket.Invalid("iban", p.IBAN, "is not an account: its check digits do not add up", "copy it again, without spaces"))
	}
	if parsed, err := mail.ParseAddress(p.Email); p.Email != "" && (err != nil || parsed.Address != p.Email) {
		errs = append(errs, ticket.Invalid("email", p.Email, "is not an address", "write it like books@example.com"))
	}
	return errors.Join(append(errs,
		seen("name", p.Name), seen("street", p.Street), seen("city", p.City), seen("postcode", p.Postcode), seen("region", p.Region),
		seen("tax_id", p.TaxID), seen("legal_id", p.LegalID), seen("bic", p.BIC))...)
}

// ibanAdds checks an IBAN by ISO 7064, modulo 97-10.
func ibanAdds(iban string) bool {
	if !ibanShape.MatchString(iban) {
		return false
	}
	rest := 0
	for _, c := range iban[4:] + iban[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// Company gives who the MSP is; an empty one where nobody has said so.
func (r Reads) Company(ctx context.Context) (p billing.Party, err error) {
	err = r.q.QueryRow(ctx, "select party from company").Scan(&p)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read who the company is: %w", err)
	}
	return p, nil
}

// ClientParty gives where a client's invoices go. It goes by the client's name where it has none of its own.
func (r Reads) ClientParty(ctx context.Context, client string) (p billing.Party, err error) {
	var name string
	err = r.q.QueryRow(ctx, "select name, party from clients where id = $1", client).Scan(&name, &p)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ticket.Invalid("client", client, "is not known", "`docket client list` shows the clients")
	}
	if err != nil {
		return p, fmt.Errorf("read the address of %s: %w", client, err)
	}
	if p.Name == "" {
		p.Name = name
	}
	return p, nil
}
