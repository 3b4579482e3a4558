package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What the doctor asks of notices: what, for how long, whose turn, why, what helps. Of those that did not arrive, the last
// two weeks.
const (
	deadNotices = `
select 'notice ' || n.id, (extract(epoch from $1 - n.created_at) * 1000)::bigint, 'operations',
  format('%s about %s did not reach %s by %s in %s tries: %s', n.tells, coalesce('T-' || n.ticket, n.client_id), n.recipient, n.channel, n.attempts, n.last_error),
  format('put right what it says, then ` + "`docket notify retry %s`" + `', n.id)
from notices n where n.state = 'dead' and n.created_at > $1 - interval '14 days' order by n.created_at limit 20`

	undeliverableNotices = `
select coalesce(nullif(n.recipient, ''), 'nobody'), (extract(epoch from $1 - min(n.created_at)) * 1000)::bigint, 'operations',
  format('%s not told, the last about %s: %s', case count(*) when 1 then 'one notice was' else count(*) || ' notices were' end,
    coalesce('T-' || max(n.ticket), max(n.client_id)), n.last_error),
  case when n.recipient = '' then 'give somebody the role, or a delegate who is there'
    else 'give the person an address, then ` + "`docket notify retry --all`" + `' end
from notices n where n.state = 'undeliverable' and n.created_at > $1 - interval '14 days'
group by n.recipient, n.last_error order by min(n.created_at) limit 20`

	waitingNotices = `
select n.channel || ' notices', (extract(epoch from $1 - min(n.created_at)) * 1000)::bigint, 'operations',
  case when max(n.attempts) = 0 then format('%s due, and nobody has tried to send them', count(*))
    else format('%s due; the last error: %s', count(*), max(n.last_error)) end,
  case n.channel when 'mail' then 'give ` + "`docket serve`" + ` a mail server (DOCKET_SMTP_URL, DOCKET_MAIL_FROM), and see that it runs'
    else 'see that ` + "`docket serve`" + ` runs, and that the endpoints answer: ` + "`docket notify list --state waiting`" + `' end
from notices n where n.state = 'waiting' and n.created_at < $1 - $2::interval and (n.due_at < $1 - $2::interval or n.last_error <> '')
group by n.channel order by 1`

	forgedLinks = `
select 'approval links', (extract(epoch from $1 - min(u.at)) * 1000)::bigint, 'operations',
  format('%s in a day that were not sealed here, or were changed: somebody guesses, or the key is another', count(*)),
  'a few are mails that were copied badly; after a change of DOCKET_LINK_KEY, reminders carry good links'
from link_uses u where u.outcome = 'forged' and u.at > $1 - interval '1 day' having count(*) > 0`
)

// lookAtNotices finds who was not told what he should have been.
func (s *Store) lookAtNotices(ctx context.Context, p Patience) ([]Finding, error) {
	var found []Finding
	for _, look := range []struct {
		severity Severity
		sql      string
		args     []any
	}{
		{Warning, deadNotices, nil},
		{Warning, undeliverableNotices, nil},
		{Warning, waitingNotices, []any{p.Move}},
		{Notice, forgedLinks, nil},
	} {
		rows, err := s.pool.Query(ctx, look.sql, append([]any{s.now()}, look.args...)...)
		if err != nil {
			return nil, fmt.Errorf("look at notices: %w", err)
		}
		more, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
			f := Finding{Severity: look.severity}
			err := row.Scan(&f.What, &f.AgeMS, &f.Owner, &f.Why, &f.Do)
			return f, err
		})
		if err != nil {
			return nil, fmt.Errorf("look at notices: %w", err)
		}
		found = append(found, more...)
	}
	return found, nil
}
