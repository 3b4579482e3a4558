package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// printer tells a story line by line, with one standing line below it on a terminal. Colours
// only on a terminal, and not where NO_COLOR is set.
type printer struct {
	mu     sync.Mutex
	out    io.Writer
	live   bool // a terminal: the standing line is rewritten in place
	colour bool
	below  string // the standing line, as it stands on the screen
}

func newPrinter(a *app) *printer {
	f, ok := a.stdout.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd())) && a.env("TERM") != "dumb"
	return &printer{out: a.stdout, live: live, colour: live && a.env("NO_COLOR") == ""}
}

// The styles: SGR codes.
const (
	dim    = "2"
	bold   = "1"
	green  = "32"
	yellow = "33"
	red    = "31"
)

func (p *printer) style(code, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
	p.draw()
}

func (p *printer) started(what string, took time.Duration, where string) {
	time := fmt.Sprintf("%6.1f s", took.Seconds())
	if took == 0 {
		time = strings.Repeat(" ", 8)
	}
	p.line("  %-12s %s  %s", what, p.style(dim, time), where)
}

func (p *printer) link(what, url string) {
	p.line("  %-12s %8s  %s", what, "", p.style(bold, url))
}

// standing shows the count: below everything on a terminal, as a line of its own otherwise.
func (p *printer) standing(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live {
		_, _ = fmt.Fprintln(p.out, s)
		return
	}
	p.clear()
	p.below = s
	p.draw()
}

// rest leaves the standing line where it is and ends it.
func (p *printer) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.below != "" {
		_, _ = fmt.Fprintln(p.out)
		p.below = ""
	}
}

func (p *printer) clear() {
	if p.below != "" {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *printer) draw() {
	if p.below == "" {
		return
	}
	// A line that wraps could not be taken back.
	text := p.below
	if f, ok := p.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && utf8.RuneCountInString(text) >= width {
			text = short(text, width)
		}
	}
	_, _ = fmt.Fprint(p.out, p.style(dim, text))
}
