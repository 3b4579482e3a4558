package postgres

import (
	"context"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// keepsPeriods refuses terms that would change periods which have posted: other fees in one that is closed, unless they
// are meant to be backdated, for nothing bills it anew; and other dates of one that has opened, which would bill its days
// twice. What an open period has billed in advance is corrected when it closes.
func keepsPeriods(ctx context.Context, q querier, terms *billing.Terms, backdated bool) error {
	type posted struct {
		billing.Period
		Closed bool
	}
	found, err := collect[posted](ctx, q, "the periods that have posted", `
select period_start::text, period_end::text, bool_or(kind = 'closing') from postings
where contract_id = $1 and kind in ('opening', 'closing') and state <> 'void'
  and period_end > $2::text::date and ($3 = '' or period_start < nullif($3, '')::date)
group by 1, 2 order by 1, 2`, terms.Contract().ID, terms.EffectiveFrom(), terms.EffectiveTo())
	if err != nil {
		return err
	}
	for _, p := range found {
		switch {
		case p.Closed && !backdated:
			return ticket.Invalid("effective_from", terms.EffectiveFrom(), "lies before a period that is closed already ("+p.Tell()+")",
				"begin it on "+found[len(found)-1].End+" or later, or apply it as backdated: what that period posted stays as it is")
		case !p.Closed && terms.PeriodOf(max(p.Start, terms.EffectiveFrom())) != p.Period:
			return ticket.Invalid("billing", p.Tell(), "has opened, and these terms bill by other periods", "begin them on "+p.End+", when it is over")
		}
	}
	return nil
}
