package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
)

// deskLogin is the login role that Docket's processes connect as; it has the rights of docket_staff.
const deskLogin = "docket_desk"

func newMigrate(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema up to date, as its owner",
		Long: `Brings the schema up to date, as the owner that DOCKET_OWNER_URL names: the only time the owner connects.

With DOCKET_STAFF_PASSWORD set, the login role ` + deskLogin + ` is made, or given that password; DATABASE_URL is to
name it. Safe to repeat and to race.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			owner := a.env("DOCKET_OWNER_URL")
			if owner == "" {
				s, err := readState(a.data)
				if err != nil {
					return usage(errors.New("set DOCKET_OWNER_URL to the URL of the schema's owner (`docket up` migrates by itself)"))
				}
				owner = s.OwnerURL
			}
			password := a.env("DOCKET_STAFF_PASSWORD")
			login := deskLogin
			if password == "" {
				login = ""
			}
			applied, err := postgres.Migrate(cmd.Context(), owner, login, password)
			if err != nil {
				return err
			}
			return a.show(map[string]int{"applied": applied}, func() {
				if applied == 0 {
					_, _ = fmt.Fprintln(a.stdout, "the schema is up to date")
					return
				}
				_, _ = fmt.Fprintf(a.stdout, "%s applied\n", count(applied, "migration"))
			})
		},
	}
}
