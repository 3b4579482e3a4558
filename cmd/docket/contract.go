package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

// maxContract is larger than any contract, in bytes.
const maxContract = 1 << 20

func newContract(a *app) *cobra.Command {
	return noun("contract", "What clients have bought, as documents",
		newContractCheck(a), newContractApply(a), newContractList(a), newContractShow(a), newContractDiff(a), newContractHistory(a))
}

// document reads a contract file; - is standard input.
func (a *app) document(path string) ([]byte, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil, usage(err)
		}
		if err != nil {
			return nil, fmt.Errorf("open the contract: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxContract+1))
	if err != nil {
		return nil, usage(fmt.Errorf("read the contract: %w", err))
	}
	if len(raw) > maxContract {
		return nil, usage(fmt.Errorf("%s is longer than 1 MiB: that is no contract", path))
	}
	return raw, nil
}

func newContractCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a contract document without storing it: every mistake with its line and what to write instead",
		Args:  exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.parsed(args[0])
			if err != nil {
				return err
			}
			terms, err := c.Compile()
			if err != nil {
				return err
			}
			v := struct {
				Contract string `json:"contract"`
				Client   string `json:"client"`
				Lines    int    `json:"lines"`
				Rates    int    `json:"rates"`
				Digest   string `json:"digest"`
			}{c.ID, c.Client, len(c.Lines), len(c.Rates), terms.Digest()}
			return a.show(v, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s is well formed: %s, %s, from %s\n", c.ID, count(v.Lines, "line"), count(v.Rates, "rate"), c.EffectiveFrom)
			})
		},
	}
}

func newContractApply(a *app) *cobra.Command {
	var backdated bool
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Store a contract document as a new, immutable revision",
		Args:  exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.document(args[0])
			if err != nil {
				return err
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			applied, err := a.session.store.ApplyContract(cmd.Context(), raw, who.ID, backdated)
			if err != nil {
				return err
			}
			return a.show(applied, func() {
				if !applied.Changed {
					_, _ = fmt.Fprintf(a.stdout, "%s revision %d says this already; nothing changed\n", applied.Contract, applied.Revision)
					return
				}
				_, _ = fmt.Fprintf(a.stdout, "%s revision %d is stored, in force from %s\n", applied.Contract, applied.Revision, applied.EffectiveFrom)
			})
		},
	}
	c.Flags().BoolVar(&backdated, "backdated", false, "although it begins before work that is rated already")
	return c
}

func newContractList(a *app) *cobra.Command {
	var client string
	c := &cobra.Command{
		Use:   "list",
		Short: "List contracts, each with its last revision",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			contracts, err := s.store.Contracts(cmd.Context(), client)
			if err != nil {
				return err
			}
			return a.versions(contracts, "No contracts yet. Store one: docket contract apply FILE --as PERSON")
		},
	}
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
			if err := a.versions(versions, ""); err != nil || a.output != "table" {
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

func (a *app) versions(versions []postgres.ContractVersion, empty string) error {
	return list(a, versions, empty,
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
	)
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
