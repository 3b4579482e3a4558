package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newContract(a *app) *cobra.Command {
	return noun("contract", "What clients have bought, as documents",
		newContractCheck(a), newContractApply(a), newContractList(a), newContractShow(a), newContractDiff(a), newContractHistory(a))
}

// checkedContract is what `contract check` says of a document without a mistake.
type checkedContract struct {
	Contract string `json:"contract"`
	Client   string `json:"client"`
	Lines    int    `json:"lines"`
	Rates    int    `json:"rates"`
	Digest   string `json:"digest"`
}

func newContractCheck(a *app) *cobra.Command {
	return checking(a, "Check a contract document without storing it", func(raw []byte) (v checkedContract, says string, err error) {
		c, err := billing.ParseContract(raw)
		if err != nil {
			return v, "", err
		}
		terms, err := c.Compile()
		if err != nil {
			return v, "", err
		}
		v = checkedContract{c.ID, c.Client, len(c.Lines), len(c.Rates), terms.Digest()}
		return v, fmt.Sprintf("%s is well formed: %s, %s, from %s\n"+
			"Next, what it says: docket contract show FILE; what past tickets would have come to: docket whatif --contract FILE", c.ID, count(v.Lines, "line"), count(v.Rates, "rate"), c.EffectiveFrom), nil
	})
}

// appliedContract is what `contract apply` answers.
type appliedContract struct {
	postgres.Applied
	DryRun bool                 `json:"dry_run,omitempty"` // nothing is stored
	Past   *billing.PastPeriods `json:"past,omitempty"`    // periods that nobody bills
}

func newContractApply(a *app) *cobra.Command {
	var backdated, dry bool
	c := applying(a, "Store a contract document as a new, immutable revision",
		func(ctx context.Context, raw []byte, by string) (v appliedContract, says string, err error) {
			v.DryRun = dry
			if dry {
				v.Applied, v.Past, err = a.session.store.TryContract(ctx, raw, by, backdated)
			} else if v.Applied, err = a.session.store.ApplyContract(ctx, raw, by, backdated); err == nil {
				v.Past, err = a.session.store.LookAtPast(ctx, v.Contract)
			}
			return v, v.says(), err
		})
	c.Long = `Stores a contract document as a new, immutable revision.

Billing periods that were over when the contract is first applied are billed by nobody, since somebody else may have billed them: the answer
tells which, and what they come to. docket period run --from bills them. With --dry-run nothing is stored.`
	c.Flags().BoolVar(&backdated, "backdated", false, "although it begins before work that is rated already")
	c.Flags().BoolVar(&dry, "dry-run", false, "tell what would be stored, and which periods nobody would bill, and store nothing")
	return c
}

func (v *appliedContract) says() string {
	revision, stored := fmt.Sprintf("%s revision %d", v.Contract, v.Revision), "is"
	if v.DryRun {
		stored = "would be"
	}
	says := fmt.Sprintf("%s %s stored, in force from %s", revision, stored, v.EffectiveFrom)
	switch {
	case !v.Changed:
		says = revision + " says this already; nothing changed"
	case v.DryRun:
		says += "; nothing was"
	default:
		says += "; what its periods will bill: docket period run --contract " + v.Contract + " --dry-run"
	}
	if v.Past != nil {
		says += fmt.Sprintf("\nNot billed: %s. Where nobody else has billed them: %s --dry-run, then without", v.Past, v.Past.Command())
	}
	return says
}

func newContractList(a *app) *cobra.Command {
	var client string
	c := listing(a, "list", "List contracts, each with its last revision", "No contracts yet. Store one: docket contract apply FILE --as PERSON",
		func(ctx context.Context, s *postgres.Store) ([]postgres.ContractVersion, error) {
			if err := known(ctx, s, client, ""); err != nil {
				return nil, err
			}
			return s.Contracts(ctx, client)
		},
		a.revisions()...)
	c.Flags().StringVar(&client, "client", "", "only of this `client`")
	return c
}

func newContractHistory(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "history CONTRACT",
		Short: "List every revision of a contract, and what each changed",
		Args:  exactly("CONTRACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			versions, err := s.store.ContractHistory(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := list(a, versions, "", a.revisions()...); err != nil || a.output != "table" {
				return err
			}
			for i := 1; i < len(versions); i++ {
				changes, err := s.store.ContractDiff(cmd.Context(), args[0], versions[i-1].Revision, versions[i].Revision)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(a.stdout, "\nrevision %d → %d\n", versions[i-1].Revision, versions[i].Revision)
				a.changes(changes)
			}
			return nil
		},
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// revisions are the columns of contracts' revisions.
func (a *app) revisions() []column[postgres.ContractVersion] {
	return []column[postgres.ContractVersion]{
		text("CONTRACT", func(v postgres.ContractVersion) string { return v.Contract }),
		text("CLIENT", func(v postgres.ContractVersion) string { return v.Client }),
		number("REV", func(v postgres.ContractVersion) string { return fmt.Sprint(v.Revision) }),
		text("FROM", func(v postgres.ContractVersion) string { return v.EffectiveFrom }),
		text("UNTIL", func(v postgres.ContractVersion) string {
			if v.Superseded {
				return "superseded"
			}
			return v.Until
		}),
		text("APPLIED", func(v postgres.ContractVersion) string { return a.when(v.AppliedAt) + " by " + v.AppliedBy }),
		text("DIGEST", func(v postgres.ContractVersion) string { return short(v.Digest, 13) }),
	}
}

func newContractShow(a *app) *cobra.Command {
	var revision int
	c := &cobra.Command{
		Use:   "show CONTRACT|FILE",
		Short: "Show all that a contract says: a stored one, or a document's file",
		Args:  exactly("CONTRACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if isFile(args[0]) {
				doc, err := a.parsed(args[0])
				if err != nil {
					return err
				}
				return a.show(doc, func() { a.contractText(doc, "from", doc.EffectiveFrom, "until", doc.EffectiveTo) })
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			version, err := s.store.Contract(cmd.Context(), args[0], revision)
			if err != nil {
				return err
			}
			doc, err := billing.ReadContract(version.Document)
			if err != nil {
				return fmt.Errorf("contract %s revision %d: %w", version.Contract, version.Revision, err)
			}
			return a.show(version, func() {
				a.contractText(doc, "revision", fmt.Sprint(version.Revision), "from", version.EffectiveFrom, "until", version.Until)
			})
		},
	}
	c.Flags().IntVar(&revision, "revision", 0, "`number` of the revision; the last one by default")
	return c
}
