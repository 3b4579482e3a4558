package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progressEvery is how often long work says how far it is, in milliseconds, where no terminal
// rewrites the line.
const progressEvery = 5 * time.Second

// progress gives a function that tells on stderr how far long work is: in place on a terminal,
// every few seconds otherwise, and nothing where it is over at once.
func (a *app) progress(what string) func(done, total int) {
	f, ok := a.stderr.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd()))
	every := progressEvery
	if live {
		every = 100 * time.Millisecond
	}
	last, drawn := a.now(), false
	return func(done, total int) {
		finished := done == total
		if !finished && a.now().Sub(last) < every {
			return
		}
		last = a.now()
		switch {
		case live && (drawn || !finished):
			_, _ = fmt.Fprintf(a.stderr, "\r\x1b[K%d of %d %s", done, total, what)
			drawn = !finished
			if finished {
				_, _ = fmt.Fprint(a.stderr, "\r\x1b[K")
			}
		case !live && !finished:
			a.say("%d of %d %s", done, total, what)
		}
	}
}
