package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newNotify(a *app) *cobra.Command {
	return noun("notify", "Who was told of what, and where notices go",
		newNotifyList(a), newNotifyRetry(a),
		noun("endpoint", "Programs of yours that hear of notices, by Standard Webhooks",
			newEndpointAdd(a), newEndpointList(a), newEndpointRemove(a)))
}

func newNotifyList(a *app) *cobra.Command {
	var f postgres.NoticeFilter
	var id, state string
	c := &cobra.Command{
		Use:   "list",
		Short: "List notices: what was to be told to whom, and what became of it",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch f.State = ticket.NoticeState(state); f.State {
			case "", ticket.NoticeWaiting, ticket.NoticeSent, ticket.NoticeDead, ticket.NoticeUndeliverable, ticket.NoticeMoot:
			default:
				return ticket.Invalid("state", state, "is not a state", "waiting, sent, dead, undeliverable or moot")
			}
			if id != "" {
				if f.Ticket, err = ticket.ParseID(id); err != nil {
					return err
				}
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			notices, err := s.store.Notices(cmd.Context(), f)
			if err != nil {
				return err
			}
			return list(a, notices, "Nobody was to be told of anything yet. A bill over its contract's threshold asks the client: docket ticket resolve TICKET --took 9h …",
				number("NOTICE", func(n ticket.Notice) string { return strconv.FormatInt(n.ID, 10) }),
				text("WHEN", func(n ticket.Notice) string { return a.when(n.CreatedAt) }),
				text("TELLS", func(n ticket.Notice) string { return n.Tells }),
				text("ABOUT", func(n ticket.Notice) string { return or(string(n.Ticket), n.Invoice) }),
				text("TO", func(n ticket.Notice) string { return n.Channel + " " + or(n.Recipient, "nobody") }),
				text("STATE", func(n ticket.Notice) string { return string(n.State) }),
				number("TRIES", func(n ticket.Notice) string { return strconv.Itoa(n.Tries) }),
				text("", func(n ticket.Notice) string {
					if n.State == ticket.NoticeWaiting && n.DueAt.After(a.now()) {
						return short(strings.TrimSpace("not before "+a.when(n.DueAt)+" "+n.LastError), 70)
					}
					return short(oneLine(n.LastError), 70)
				}),
			)
		},
	}
	c.Flags().StringVar(&state, "state", "", "only in this `state`: waiting, sent, dead, undeliverable, moot")
	c.Flags().StringVar(&f.For, "for", "", "only to this `person` or endpoint")
	c.Flags().StringVar(&id, "ticket", "", "only about this `ticket`")
	c.Flags().Int64Var(&f.After, "after", 0, "only those after this `notice`, in their order")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many (`n`)")
	return c
}

func newNotifyRetry(a *app) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "retry [NOTICE]",
		Short: "Try dead and undeliverable notices again",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var id int64
			switch {
			case all == (len(args) == 1):
				return usage(fmt.Errorf("name a notice, or --all: docket %s", cmd.UseLine()[len("docket "):]))
			case !all:
				var err error
				if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id <= 0 {
					return ticket.Invalid("notice", args[0], "is not a number of one", "`docket notify list` shows them")
				}
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			n, err := s.store.RetryNotices(cmd.Context(), id)
			if err != nil {
				return err
			}
			return a.told(map[string]int64{"retried": n}, count(int(n), "notice")+" will be tried again.")
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all of them")
	return c
}

func newEndpointAdd(a *app) *cobra.Command {
	e := ticket.Endpoint{}
	c := &cobra.Command{
		Use:   "add ENDPOINT --url URL",
		Short: "Let a program hear of notices, or change what it hears; its secret is shown once",
		Args:  exactly("ENDPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			e.ID, e.By = args[0], who.ID
			known, err := a.session.store.Endpoints(cmd.Context())
			if err != nil {
				return err
			}
			kept := false
			for _, k := range known {
				kept = kept || k.ID == e.ID
			}
			switch {
			case e.Secret != "":
				if err := notify.CheckSecret(e.Secret); err != nil {
					return err
				}
			case !kept:
				e.Secret = notify.NewSecret()
			}
			if err := a.session.store.PutEndpoint(cmd.Context(), e); err != nil {
				return err
			}
			e.Active, e.At = true, a.now().UTC()
			says := fmt.Sprintf("%s hears of %s.", e.ID, or(joined(e.Tells), "every notice"))
			if e.Secret != "" {
				says += "\nIts secret, which is not shown again: " + e.Secret
			}
			return a.told(e, says)
		},
	}
	c.Flags().StringVar(&e.URL, "url", "", "the `address`, https")
	c.Flags().StringVar(&e.Secret, "secret", "", "`secret` that it knows already, whsec_…; a fresh one by default, and on a change the one it has")
	c.Flags().StringSliceVar(&e.Tells, "tells", nil, "only these `notices`: "+strings.Join(ticket.Tells, ", "))
	c.Flags().BoolVar(&e.Private, "private", false, "it may lie in a private network, and be plain http there")
	return c
}

func newEndpointList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the endpoints",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			endpoints, err := s.store.Endpoints(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, endpoints, "None. docket notify endpoint add chat --url https://hooks.example.com/docket --as PERSON",
				text("ENDPOINT", func(e ticket.Endpoint) string { return e.ID }),
				text("URL", func(e ticket.Endpoint) string { return e.URL }),
				text("TELLS", func(e ticket.Endpoint) string { return or(joined(e.Tells), "all") }),
				text("PRIVATE", func(e ticket.Endpoint) string { return map[bool]string{true: "yes"}[e.Private] }),
				text("BY", func(e ticket.Endpoint) string { return e.By + " " + a.when(e.At) }),
			)
		},
	}
}

func newEndpointRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ENDPOINT",
		Short: "Tell it nothing any more",
		Args:  exactly("ENDPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.session.store.RemoveEndpoint(cmd.Context(), args[0], who.ID); err != nil {
				return err
			}
			return a.told(map[string]string{"removed": args[0]}, args[0]+" is told nothing any more.")
		},
	}
}
