package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// projectTerms are what a project agrees: a budget in money, in hours, or both.
type projectTerms struct {
	ID       string
	Client   string
	Name     string
	Currency string
	Budget   *decimal.Decimal
	BudgetMS int64
	Hourly   *decimal.Decimal
	State    string
	fresh    bool // it is made by the ruling that names it
}

const projectColumns = "id, client_id, name, currency, budget, budget_ms, hourly, state"

func collectProject(rows pgx.Rows, into **projectTerms) error {
	_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p projectTerms, err error) {
		err = row.Scan(&p.ID, &p.Client, &p.Name, &p.Currency, &p.Budget, &p.BudgetMS, &p.Hourly, &p.State)
		*into = &p
		return p, err
	})
	return err
}

// projectOf reads the project that a ticket's work bills to; nil without one. Its row is shared until the transaction
// ends, before its counters are locked: whoever changes the budget waits, and so nothing bills to one that is gone.
func projectOf(ctx context.Context, q querier, id string) (*billing.TicketProject, error) {
	p, err := lockProject(ctx, q, id, "for share")
	if err != nil || p == nil {
		return nil, err
	}
	return &billing.TicketProject{ID: p.ID, Currency: p.Currency, Budget: p.Budget, BudgetMS: p.BudgetMS, Hourly: p.Hourly, Closed: p.State == "closed"}, nil
}

func lockProject(ctx context.Context, q querier, id, lock string) (p *projectTerms, err error) {
	if id == "" {
		return nil, nil
	}
	rows, err := q.Query(ctx, "select "+projectColumns+" from projects where id = $1 "+lock, id)
	if err == nil {
		err = collectProject(rows, &p)
	}
	if err != nil {
		return nil, fmt.Errorf("read project %s: %w", id, err)
	}
	return p, nil
}

// ProjectDeed asks for a new project, or for other terms of one. The same key again answers the same.
type ProjectDeed struct {
	Project      string
	Client       string // of a new one
	Name         string
	Currency     string // empty: the client's
	Budget       string // decimal; empty: none, or as it is
	Hours        string // decimal; likewise
	Hourly       string // decimal: of people's work that a contract would have covered; empty: by the rate card, or as it is
	Reason       string
	By           string
	OperationKey string
}

// ProjectAnswer says what became of a project.
type ProjectAnswer struct {
	Project string `json:"project"`
	Effect  bool   `json:"effect"`
	Says    string `json:"says"`
}

var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// AddProject makes a project of a client.
func (s *Store) AddProject(ctx context.Context, d ProjectDeed) (ProjectAnswer, error) {
	return s.onProject(ctx, "added", d, func(b *pgx.Batch, who actor, p *projectTerms, home projectHome) (string, error) {
		if p != nil {
			return "", ticket.Invalid("project", d.Project, "is there already: "+p.Name+", of "+p.Client, "choose another id")
		}
		if home.Currency == "" {
			return "", ticket.Invalid("client", d.Client, "is not known", "`docket client list` shows the clients")
		}
		made := projectTerms{ID: d.Project, Client: d.Client, Name: cmp.Or(strings.TrimSpace(d.Name), d.Project), Currency: cmp.Or(d.Currency, home.Currency)}
		if err := made.agree(d); err != nil {
			return "", err
		}
		made.queueInsert(b, s.now())
		return fmt.Sprintf("%s made project %s of %s: %s", who.Name, made.ID, made.Client, made.tell()), nil
	})
}

// SetProjectBudget changes what a project has agreed: what is left empty stays.
func (s *Store) SetProjectBudget(ctx context.Context, d ProjectDeed) (ProjectAnswer, error) {
	return s.onProject(ctx, "budget", d, func(b *pgx.Batch, who actor, p *projectTerms, _ projectHome) (string, error) {
		if p == nil {
			return "", unknownProject(d.Project)
		}
		was := p.tell()
		if err := p.agree(d); err != nil {
			return "", err
		}
		b.Queue("update projects set budget = $2, budget_ms = $3, hourly = $4 where id = $1", p.ID, p.Budget, p.BudgetMS, p.Hourly)
		return fmt.Sprintf("%s changed project %s from %s to %s: %s", who.Name, p.ID, was, p.tell(), d.Reason), nil
	})
}

// CloseProject ends a project: what its tickets bill from then on waits for a ruling. Tickets of it that are open keep it
// from being closed.
func (s *Store) CloseProject(ctx context.Context, d ProjectDeed) (ProjectAnswer, error) {
	return s.turnProject(ctx, "closed", d)
}

// OpenProject opens a closed project again.
func (s *Store) OpenProject(ctx context.Context, d ProjectDeed) (ProjectAnswer, error) {
	return s.turnProject(ctx, "opened", d)
}

func (s *Store) turnProject(ctx context.Context, kind string, d ProjectDeed) (ProjectAnswer, error) {
	return s.onProject(ctx, kind, d, func(b *pgx.Batch, who actor, p *projectTerms, home projectHome) (string, error) {
		state, verb := "open", "opened"
		if kind == "closed" {
			state, verb = "closed", "closed"
		}
		switch {
		case p == nil:
			return "", unknownProject(d.Project)
		case p.State == state:
			return "", ticket.Invalid("project", d.Project, "is "+verb+" already", "`docket project show "+d.Project+"` tells where it stands")
		case state == "closed" && home.open > 0:
			return "", ticket.Invalid("project", d.Project, fmt.Sprintf("has %d open tickets", home.open), "resolve or cancel them first; `docket project show "+d.Project+"` lists them")
		}
		b.Queue("update projects set state = $2 where id = $1", p.ID, state)
		return fmt.Sprintf("%s %s project %s: %s", who.Name, verb, p.ID, d.Reason), nil
	})
}

func unknownProject(id string) error {
	return ticket.Invalid("project", id, "is not known", "`docket project list` shows the projects")
}

// projectHome is what else a deed on a project looks at.
type projectHome struct {
	Currency string // of the client; empty: there is none
	open     int    // tickets of the project that can still be worked on
}

// onProject is the transaction of every deed on a project: lock its row, check who, and commit what do queues with the
// event that remembers the answer. Its row comes before the counters, and after every ticket: whoever bills to it shares it.
func (s *Store) onProject(ctx context.Context, kind string, d ProjectDeed, do func(*pgx.Batch, actor, *projectTerms, projectHome) (string, error)) (answer ProjectAnswer, err error) {
	asks := d
	asks.OperationKey = ""
	input, err := digestOf(kind, asks)
	if !projectID.MatchString(d.Project) {
		err = errors.Join(err, ticket.Invalid("project", d.Project, "is no id of a project", "small letters, digits and hyphens, like cedar-hill"))
	}
	if kind != "added" {
		err = errors.Join(err, reasoned(d.Reason))
	}
	if err := errors.Join(err, named("operation_key", d.OperationKey)); err != nil {
		return answer, err
	}
	err = s.tx(ctx, fmt.Sprintf("project %s: %s", d.Project, kind), func(t *tx) error {
		var (
			before []earlier
			found  *projectTerms
			people = map[string]actor{}
			home   projectHome
		)
		b := t.batch()
		b.Queue("select "+projectColumns+" from projects where id = $1 for update", d.Project).Query(func(rows pgx.Rows) error { return collectProject(rows, &found) })
		b.Queue("select input_digest, answer from project_events where operation_key = $1", d.OperationKey).Query(func(rows pgx.Rows) (err error) {
			before, err = pgx.CollectRows(rows, pgx.RowToStructByPos[earlier])
			return err
		})
		queueActor(b, d.By, people)
		b.Queue("select currency from clients where id = $1", d.Client).Query(one(&home.Currency))
		b.Queue("select count(*)::int from tickets where project_id = $1 and stage in ('new', 'triage', 'routing', 'resolution', 'waiting', 'closing')", d.Project).
			Query(one(&home.open))
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if len(before) > 0 {
			answer, err = recall[ProjectAnswer](before[0], d.OperationKey, input)
			return err
		}
		who, err := pick(people, "by", d.By)
		if err != nil {
			return err
		}
		client := d.Client
		if found != nil {
			client = found.Client
		}
		if err := who.may(deedProject, client); err != nil {
			return err
		}
		b = t.batch()
		says, err := do(b, who, found, home)
		if err != nil {
			return err
		}
		answer = ProjectAnswer{Project: d.Project, Effect: true, Says: says}
		queueProjectEvent(b, d.Project, client, kind, who.ID, s.now(), says, d.OperationKey, input, answer)
		return t.commit(ctx, b)
	})
	return answer, err
}

func queueProjectEvent(b *pgx.Batch, project, client, kind, by string, at time.Time, says, key, input string, answer ProjectAnswer) {
	b.Queue(`
insert into project_events (project_id, client_id, kind, actor, at, says, operation_key, input_digest, answer) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		project, client, kind, by, at, says, key, input, answer)
}

func (p *projectTerms) queueInsert(b *pgx.Batch, at time.Time) {
	b.Queue(`insert into projects (id, client_id, name, currency, budget, budget_ms, hourly, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.Client, p.Name, p.Currency, p.Budget, p.BudgetMS, p.Hourly, at)
}

// agree takes over the numbers of the deed, where it has some; a Problem for what is none.
func (p *projectTerms) agree(d ProjectDeed) error {
	var errs []error
	if d.Budget != "" {
		budget, ok := figure(d.Budget)
		if !ok || !budget.IsPositive() {
			errs = append(errs, ticket.Invalid("budget", d.Budget, "is not a budget", "give an amount above 0, such as 5000.00"))
		}
		p.Budget = &budget
		errs = append(errs, wholeUnits("budget", budget, p.Currency))
	}
	if d.Hours != "" {
		hours, ok := figure(d.Hours)
		if !ok || !hours.IsPositive() || hours.GreaterThan(decimal.NewFromInt(1_000_000)) {
			errs = append(errs, ticket.Invalid("hours", d.Hours, "are no hours of a budget", "give hours above 0, such as 40"))
		}
		p.BudgetMS = hours.Mul(decimal.NewFromInt(time.Hour.Milliseconds())).IntPart()
	}
	if d.Hourly != "" {
		rate, ok := figure(d.Hourly)
		if !ok || rate.GreaterThan(highestRate) {
			errs = append(errs, ticket.Invalid("hourly", d.Hourly, "is not a rate", "give what an hour costs, such as 150.00"))
		}
		p.Hourly = &rate
	}
	if _, ok := billing.MinorUnits(p.Currency); !ok {
		errs = append(errs, ticket.Invalid("currency", p.Currency, "is not an ISO 4217 currency", "give a code such as USD"))
	}
	if p.Budget == nil && p.BudgetMS == 0 {
		errs = append(errs, ticket.Invalid("budget", "", "is missing, and so are hours", "a project has a budget in money (5000.00), in hours (40), or both"))
	}
	return errors.Join(errs...)
}

// tell is the budget in words: "5000.00 USD and 40 h".
func (p *projectTerms) tell() string {
	var parts []string
	if p.Budget != nil {
		parts = append(parts, money(*p.Budget, p.Currency))
	}
	if p.BudgetMS > 0 {
		parts = append(parts, hoursOf(p.BudgetMS).String()+" h")
	}
	return strings.Join(parts, " and ")
}

func hoursOf(ms int64) decimal.Decimal {
	return decimal.NewFromInt(ms).DivRound(decimal.NewFromInt(time.Hour.Milliseconds()), 2)
}
