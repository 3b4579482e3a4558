package replay

import (
	"errors"
	"hash/fnv"
	"slices"

	"github.com/docket-psa/docket/ticket"
)

// Cast says who plays the log's people: its numbers stand for our clients and technicians,
// always the same ones. A log of more callers than we have clients gives one client many.
type Cast struct {
	clients     []string // ids, sorted
	technicians []string
}

// NewCast takes the desk's clients, and those of its people who are technicians. It returns
// Problems where there are none.
func NewCast(clients []ticket.Client, people []ticket.Person) (Cast, error) {
	var c Cast
	for _, client := range clients {
		c.clients = append(c.clients, client.ID)
	}
	for _, p := range people {
		if p.Client == "" && p.Kind == ticket.Human && p.Has("technician") {
			c.technicians = append(c.technicians, p.ID)
		}
	}
	slices.Sort(c.clients)
	slices.Sort(c.technicians)
	var errs []error
	if len(c.clients) == 0 {
		errs = append(errs, ticket.Invalid("clients", "", "are missing", "store at least one client; `docket up` seeds a company"))
	}
	if len(c.technicians) == 0 {
		errs = append(errs, ticket.Invalid("people", "", "has no technician", "store at least one technician; `docket up` seeds a company"))
	}
	return c, errors.Join(errs...)
}

// client gives who the caller belongs to. Where the log does not say who called it goes by the
// place, and last by the incident.
func (c Cast) client(r Row) string {
	switch {
	case r.Caller != "":
		return pick(c.clients, "caller", r.Caller)
	case r.Location != "":
		return pick(c.clients, "location", r.Location)
	}
	return pick(c.clients, "incident", r.Number)
}

// person gives the technician who plays one of the log's people.
func (c Cast) person(number string) string { return pick(c.technicians, "person", number) }

// keeper gives the technician who takes what a group has been given without a name.
func (c Cast) keeper(group string) string { return pick(c.technicians, "group", group) }

// anybody gives the technician who takes what was given to nobody.
func (c Cast) anybody(incident string) string { return pick(c.technicians, "incident", incident) }

func pick(from []string, kind, name string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind + " " + name))
	return from[h.Sum64()%uint64(len(from))]
}
