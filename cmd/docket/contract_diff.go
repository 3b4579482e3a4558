package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newContractDiff(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff FILE [FILE]",
		Short: "Compare a document with the revision in force, or two documents: field by field",
		Long: `Compare two contract documents, field by field, without storing anything.

With one FILE, compare it with the revision of the same contract that is in force today. With two, compare
these. In place of a file, a contract's id stands for its revision in force, and ID@2 for its revision 2.`,
		Example: `  docket contract diff draft.yaml
  docket contract diff old.yaml new.yaml
  docket contract diff acme-hourly@1 acme-hourly@3`,
		Args: oneOrTwo("FILE", "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			is, err := a.compared(cmd.Context(), args[len(args)-1])
			if err != nil {
				return err
			}
			before := is.contract.ID
			if len(args) == 2 {
				before = args[0]
			}
			was, err := a.compared(cmd.Context(), before)
			if err != nil {
				return err
			}
			v := struct {
				Was     string           `json:"was"`
				Is      string           `json:"is"`
				Changes []billing.Change `json:"changes"`
			}{was.called, is.called, billing.Diff(was.contract, is.contract)}
			return a.show(v, func() {
				if len(v.Changes) == 0 {
					_, _ = fmt.Fprintf(a.stdout, "%s and %s say the same\n", v.Was, v.Is)
					return
				}
				_, _ = fmt.Fprintf(a.stdout, "%s → %s\n", v.Was, v.Is)
				a.changes(v.Changes)
			})
		},
	}
}

func (a *app) changes(changes []billing.Change) {
	rows := make([][]string, 0, len(changes))
	for _, c := range changes {
		rows = append(rows, []string{"  " + c.Field, or(c.Was, "(none)"), "→", or(c.Is, "(gone)")})
	}
	align(a.stdout, rows, []bool{false, false, false, false})
}

// compared is one side of a comparison.
type compared struct {
	called   string // for people
	contract *billing.Contract
}

// compared reads a file, where there is one of the name, or else a stored contract.
func (a *app) compared(ctx context.Context, name string) (compared, error) {
	if isFile(name) {
		c, err := a.parsed(name)
		return compared{called: name, contract: c}, err
	}
	id, number, given := strings.Cut(name, "@")
	revision, err := strconv.Atoi(number)
	if given && (err != nil || revision < 1) {
		return compared{}, usage(fmt.Errorf("%q is neither a file nor a revision: write it like %s@2", name, id))
	}
	s, err := a.open(ctx)
	if err != nil {
		return compared{}, err
	}
	var v postgres.ContractVersion
	if given {
		v, err = s.store.Contract(ctx, id, revision)
	} else {
		v, err = a.inForce(ctx, s, id)
	}
	if err != nil {
		return compared{}, err
	}
	c, err := billing.ReadContract(v.Document)
	if err != nil {
		return compared{}, fmt.Errorf("contract %s revision %d: %w", v.Contract, v.Revision, err)
	}
	return compared{called: fmt.Sprintf("%s revision %d", v.Contract, v.Revision), contract: c}, nil
}

// inForce finds the revision of a contract that governs today, by the contract's own calendar;
// the last one applied where none does.
func (a *app) inForce(ctx context.Context, s *session, id string) (postgres.ContractVersion, error) {
	versions, err := s.store.ContractHistory(ctx, id)
	if err != nil {
		return postgres.ContractVersion{}, err
	}
	for _, v := range versions {
		c, err := billing.ReadContract(v.Document)
		if err != nil {
			return v, fmt.Errorf("contract %s revision %d: %w", v.Contract, v.Revision, err)
		}
		zone, err := time.LoadLocation(c.TimeZone)
		if err != nil {
			return v, fmt.Errorf("contract %s revision %d: %w", v.Contract, v.Revision, err)
		}
		today := a.now().In(zone).Format(time.DateOnly)
		if !v.Superseded && v.EffectiveFrom <= today && (v.Until == "" || today < v.Until) {
			return v, nil
		}
	}
	return versions[len(versions)-1], nil
}

// isFile says whether a command's argument is to be read as a file: - is standard input.
func isFile(name string) bool {
	if name == "-" {
		return true
	}
	info, err := os.Stat(name)
	return (err == nil && info.Mode().IsRegular()) || looksLikeFile(name)
}

// looksLikeFile says whether somebody who writes the name means a file, whether it is there or
// not: no contract's id has a slash, and hardly one ends so.
func looksLikeFile(name string) bool {
	return strings.ContainsRune(name, os.PathSeparator) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json")
}

// parsed reads and checks a contract file.
func (a *app) parsed(path string) (*billing.Contract, error) {
	raw, err := a.document(path)
	if err != nil {
		return nil, err
	}
	return billing.ParseContract(raw)
}
