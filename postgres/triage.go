package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// asOpened is what a source said of a ticket, for triage to read.
type asOpened struct {
	Description string
	Subcategory string
	Impact      int
	Urgency     int
}

const writeTriage = `
update tickets set category = $2, subcategory = $3, type = $4, impact = $5, urgency = $6, priority = $7, confidence = $8,
  triage_says = $9, contract_id = nullif($10, ''), triaged_at = $11, response_due = $12, resolution_due = $13, sla = $14, stage = $15,
  response_warn_at = $16, resolution_warn_at = $17
where number = $1`

// Triage says what the ticket is about, how pressing it is, which contract speaks of it and by when it is due. It is
// done once: a repetition, and a later round, find what stands. What the source knew is kept.
func (s *Store) Triage(ctx context.Context, id ticket.ID, round int) (found ticket.Triaged, err error) {
	err = s.tx(ctx, fmt.Sprintf("triage of %s", id), func(t *tx) error {
		var (
			at       *standing
			opened   *asOpened
			versions []versionRow
		)
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1 for update of t", id.Number()).Query(row(&at))
		b.Queue("select description, subcategory, impact, urgency from tickets where number = $1", id.Number()).Query(row(&opened))
		queueVersions(b, id, &versions)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if at == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		if stands := at.triaged(); stands != nil || !at.Stage.Open() {
			if stands != nil {
				found = *stands
			}
			return nil
		}

		class := classify(at, opened)
		priority, err := triage.Priority(class.Impact, class.Urgency)
		if err != nil {
			return fmt.Errorf("priority of %s: %w", id, err)
		}
		at.Category, at.Priority = string(class.Category), priority
		terms, err := s.inForce(ctx, t.conn, versions, at.OpenedAt)
		if err != nil {
			return err
		}
		if terms != nil {
			at.Contract = terms.Contract().ID
		}
		if err := promiseOf(ctx, t.conn, terms, at); err != nil {
			return err
		}
		when := s.happened(at)
		at.TriageSays, at.TriagedAt = tellTriage(at, class), &when
		if at.Stage == ticket.New || at.Stage == ticket.Triage {
			at.Stage = ticket.Routing
		}
		found = *at.triaged()

		b = t.batch()
		b.Queue(writeTriage, at.Number, at.Category, class.Subcategory, class.Type, class.Impact, class.Urgency, priority,
			class.Confidence, at.TriageSays, at.Contract, at.TriagedAt, at.ResponseDue, at.ResolutionDue, at.SLA, at.Stage, at.ResponseWarnAt, at.ResolutionWarnAt)
		if err := s.record(ctx, b, event{
			Ticket: id, Client: at.Client, Round: at.Round, At: when, Kind: "triaged", Actor: itself, Effect: true, Says: at.TriageSays,
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return found, err
}

// happened is the time of what the desk does by itself: now, and for a past told again, the opening.
func (s *Store) happened(t *standing) time.Time {
	if t.EventTime {
		return t.OpenedAt
	}
	return s.now().UTC()
}

// classify reads the ticket's words for whatever its source did not say.
func classify(t *standing, o *asOpened) triage.Classification {
	class := triage.Classify(t.Subject, o.Description)
	if t.Category != "" {
		class.Category, class.Subcategory, class.Confidence = triage.Category(t.Category), o.Subcategory, 100
	}
	class.Impact = cmp.Or(o.Impact, class.Impact)
	class.Urgency = cmp.Or(o.Urgency, class.Urgency)
	return class
}

// inForce gives the contract that governs the instant: the highest priority, then one with an SLA, then by id. nil
// where there is none. Which contract pays for work is decided anew at closing, by its clauses.
func (s *Store) inForce(ctx context.Context, q querier, rows []versionRow, at time.Time) (*billing.Terms, error) {
	versions, err := s.versions(ctx, q, rows, at, at)
	if err != nil {
		return nil, err
	}
	versions = slices.DeleteFunc(versions, func(v billing.Version) bool { return !v.InForce(at) })
	if len(versions) == 0 {
		return nil, nil
	}
	best := slices.MinFunc(versions, func(a, b billing.Version) int {
		promises := func(v billing.Version) int { return len(v.Terms.Calendar()) }
		return cmp.Or(cmp.Compare(b.Terms.Contract().Priority, a.Terms.Contract().Priority),
			cmp.Compare(min(promises(b), 1), min(promises(a), 1)), cmp.Compare(a.Contract, b.Contract))
	})
	return best.Terms, nil
}

// queueVersions reads the versions of the client's contracts that count, each with its begin.
func queueVersions(b *pgx.Batch, id ticket.ID, into *[]versionRow) {
	b.Queue(`
select contract_id, revision, digest from (
  select distinct on (v.contract_id, v.effective_from) v.contract_id, v.revision, v.digest, v.effective_from
  from contract_versions v join tickets t on t.client_id = v.client_id
  where t.number = $1
  order by v.contract_id, v.effective_from, v.revision desc) as latest
order by contract_id, effective_from`, id.Number()).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[versionRow])
		return err
	})
}

// tellTriage says in one sentence what was found, and by which words.
func tellTriage(t *standing, c triage.Classification) string {
	var says strings.Builder
	fmt.Fprintf(&says, "%s: %s", t.id(), c.Category)
	if c.Subcategory != "" {
		fmt.Fprintf(&says, " (%s)", c.Subcategory)
	}
	if len(c.Matched) > 0 {
		fmt.Fprintf(&says, ", by the words %q", strings.Join(c.Matched, ", "))
	}
	fmt.Fprintf(&says, "; %s, %d%% certain; impact %d and urgency %d make priority %d", c.Type, c.Confidence, c.Impact, c.Urgency, t.Priority)
	if t.Contract == "" {
		says.WriteString("; no contract is in force")
	} else {
		fmt.Fprintf(&says, "; contract %s", t.Contract)
	}
	if t.ResponseDue != nil {
		fmt.Fprintf(&says, "; response due %s", t.ResponseDue.UTC().Format(time.RFC3339))
	}
	if t.ResolutionDue != nil {
		fmt.Fprintf(&says, "; resolution due %s", t.ResolutionDue.UTC().Format(time.RFC3339))
	}
	says.WriteString(".")
	return says.String()
}
