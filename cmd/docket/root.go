package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot builds the command line.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "docket",
		Short: "From a ticket to an invoice line",
		Long: `Docket runs a managed service provider's desk from a ticket to an invoice line.

Start with  docket up            everything, with a seeded company; then in another terminal
            docket ticket list   and the other commands below find it by themselves

DATABASE_URL and TEMPORAL_ADDRESS point at servers of your own instead.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		Version:           version(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		a.say("See: %s --help", cmd.CommandPath())
		return usage(err)
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.output, "output", "o", "table", "`format` of what is printed: table, json or jsonl; csv of lists and reports")
	flags.StringVar(&a.as, "as", "", "`person` who acts (id); DOCKET_AS by default")
	flags.StringVar(&a.data, "data", "", "`directory` of what docket up keeps")

	root.AddGroup(
		&cobra.Group{ID: "desk", Title: "The desk:"},
		&cobra.Group{ID: "money", Title: "Money:"},
		&cobra.Group{ID: "servers", Title: "Servers:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("desk", newTicket(a), newApproval(a), newException(a), newProject(a), newClient(a), newPerson(a), newNotify(a), newInbox(a))
	add("money", newContract(a), newWhatIf(a), newBlock(a), newInvoice(a), newDispute(a), newExport(a), newCompany(a), newTax(a), newCalendar(a), newCredit(a), newCreditNote(a), newCost(a), newPeriod(a), newMonth(a), newUsage(a), newWhy(a), newReport(a), newJournal(a), newAudit(a))
	add("servers", newUp(a), newServe(a), newWork(a), newMigrate(a), newDoctor(a), newReplay(a), newBench(a), newVersion(a))
	root.AddCommand(newExitCodes())
	exemplify(root)
	return root
}

// noun groups the commands of one noun.
func noun(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			message := fmt.Sprintf("%q is no command of docket %s", args[0], use)
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				message += ": did you mean " + near[0] + "?"
			}
			return usage(errors.New(message + "; see docket " + use + " --help"))
		},
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(commands...)
	return c
}
