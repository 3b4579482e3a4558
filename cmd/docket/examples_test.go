package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wordOf is one argument of a command line, as a shell takes it.
var wordOf = regexp.MustCompile(`'[^']*'|\S+`)

func TestEachCommandThatTakesAnArgumentHasAnExampleThatItTakes(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, s := range c.Commands() {
			walk(s)
		}
		use := strings.TrimSuffix(c.UseLine(), " [flags]")
		if c.HasSubCommands() || !c.Runnable() || use == c.CommandPath() {
			return
		}
		assert.NotEmpty(t, c.Example, "%s --help shows no example", c.CommandPath())
		for line := range strings.Lines(c.Example) {
			if _, piped, ok := strings.Cut(line, "| "); ok {
				line = piped
			}
			line, _, _ = strings.Cut(line, " #")
			line, _, _ = strings.Cut(line, " >")
			words := wordOf.FindAllString(line, -1)
			for i := range words {
				words[i] = strings.Trim(words[i], "'")
			}
			require.Greater(t, len(words), 1, "%s: %q", c.CommandPath(), line)
			fresh := newRoot(&app{env: func(string) string { return "" }})
			found, args, err := fresh.Find(words[1:])
			require.NoError(t, err, line)
			assert.Equal(t, c.CommandPath(), found.CommandPath(), line)
			if assert.NoError(t, found.ParseFlags(args), line) {
				assert.NoError(t, found.ValidateArgs(found.Flags().Args()), line)
			}
		}
	}
	walk(newRoot(&app{env: func(string) string { return "" }}))
}
