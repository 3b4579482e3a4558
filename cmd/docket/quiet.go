package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newPersonQuiet(a *app) *cobra.Command {
	var (
		hours, zone         string
		weekend, off, house bool
	)
	c := &cobra.Command{
		Use:   "quiet [PERSON] --hours 22:00-07:00 --zone ZONE",
		Short: "Say when somebody, or the whole house, does not want to be disturbed; without arguments, list it",
		Long: `Mails wait until the quiet hours end, by the wall clock of the zone. Urgent ones (a target that is near or missed, a ticket
that is handed on) go out all the same. The hours of the house are for everybody who has none of his own. Endpoints are
programs, and always hear.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !house {
				return a.quietHours(cmd)
			}
			if house == (len(args) == 1) {
				return usage(fmt.Errorf("name a person, or --house: docket %s", cmd.UseLine()[len("docket "):]))
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			q := ticket.Quiet{Zone: zone, Weekend: weekend, By: who.ID, At: a.now().UTC()}
			if !house {
				q.Person = args[0]
			}
			whom := or(q.Person, "the house")
			if off {
				if err := a.session.store.EndQuiet(cmd.Context(), q.Person, q.By); err != nil {
					return err
				}
				return a.told(map[string]string{"quiet": "never", "person": q.Person}, whom+" has no quiet hours; what waited goes out.")
			}
			if q.Begins, q.Ends, err = clockTimes(hours); err != nil {
				return err
			}
			if err := a.session.store.SetQuiet(cmd.Context(), q); err != nil {
				return err
			}
			return a.told(q, fmt.Sprintf("%s is quiet %s in %s%s.", whom, q.Hours(), q.Zone, map[bool]string{true: ", and all weekend"}[q.Weekend]))
		},
	}
	c.Flags().StringVar(&hours, "hours", "", "two `times` of the day, such as 22:00-07:00")
	c.Flags().StringVar(&zone, "zone", "", "time `zone`, such as Europe/Berlin")
	c.Flags().BoolVar(&weekend, "weekend", false, "Saturdays and Sundays wholly, too")
	c.Flags().BoolVar(&off, "off", false, "take the quiet hours back")
	c.Flags().BoolVar(&house, "house", false, "of everybody who has none of his own")
	return c
}

// clockTimes reads 22:00-07:00, which sla's windows write as two days.
func clockTimes(text string) (begins, ends int, err error) {
	var w sla.Window
	if err := w.UnmarshalText([]byte(text)); err != nil {
		return 0, 0, ticket.Invalid("hours", text, "are no quiet hours", "give two times of the day, such as 22:00-07:00")
	}
	return w.From, w.To % (24 * 60), nil
}

func (a *app) quietHours(cmd *cobra.Command) error {
	s, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	all, err := s.store.QuietHours(cmd.Context())
	if err != nil {
		return err
	}
	return list(a, all, "Nobody has quiet hours. docket person quiet PERSON --hours 22:00-07:00 --zone Europe/Berlin",
		text("PERSON", func(q ticket.Quiet) string { return or(q.Person, "the house") }),
		text("HOURS", func(q ticket.Quiet) string { return q.Hours() }),
		text("ZONE", func(q ticket.Quiet) string { return q.Zone }),
		text("WEEKEND", func(q ticket.Quiet) string { return map[bool]string{true: "quiet"}[q.Weekend] }),
		text("BY", func(q ticket.Quiet) string { return q.By + " " + a.when(q.At) }),
	)
}
