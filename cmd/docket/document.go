package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
)

// Contracts, tax profiles and the cost document are documents alike: a file is checked, stored as a revision
// that never changes, and listed. What each of them says is its own file's.

// maxDocument is larger than any document, in bytes.
const maxDocument = 1 << 20

// document reads a document's file; - is standard input.
func (a *app) document(path string) ([]byte, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil, usage(err)
		}
		if err != nil {
			return nil, fmt.Errorf("open the document: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err != nil {
		return nil, usage(fmt.Errorf("read the document: %w", err))
	}
	if len(raw) > maxDocument {
		return nil, usage(fmt.Errorf("%s is longer than 1 MiB: that is no document of Docket", path))
	}
	return raw, nil
}

// checking is `check FILE`: parse gives what is shown as JSON, and the sentence that people read. It needs no server.
func checking[T any](a *app, short string, parse func(raw []byte) (T, string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: short + ": every mistake with its line and what to write instead",
		Args:  exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := a.document(args[0])
			if err != nil {
				return err
			}
			v, says, err := parse(raw)
			if err != nil {
				return err
			}
			return a.told(v, says)
		},
	}
}

// applying is `apply FILE`: store keeps the document in the name of a person.
func applying[T any](a *app, short string, store func(ctx context.Context, raw []byte, by string) (T, string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "apply FILE",
		Short: short,
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
			v, says, err := store(cmd.Context(), raw, who.ID)
			if err != nil {
				return err
			}
			return a.told(v, says)
		},
	}
}

// listing is a command without arguments that lists what read gives.
func listing[T any](
	a *app, use, short, empty string, read func(context.Context, *postgres.Store) ([]T, error), columns ...column[T],
) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			items, err := read(cmd.Context(), s.store)
			if err != nil {
				return err
			}
			return list(a, items, empty, columns...)
		},
	}
}

// known says whether the client and the contract that a list is asked for exist: an empty list of a mistyped
// name would read as if there were nothing. Empty ones are not asked for.
func known(ctx context.Context, s *postgres.Store, client, contract string) error {
	if client != "" {
		if _, err := s.Client(ctx, client); err != nil {
			return err
		}
	}
	if contract != "" {
		if _, err := s.Contract(ctx, contract, 0); err != nil {
			return err
		}
	}
	return nil
}
