package main

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// money is an amount as people read it, with its currency always: "187.50 USD".
func money(d decimal.Decimal, currency string) string {
	places, ok := billing.MinorUnits(currency)
	if !ok {
		return d.String()
	}
	return d.StringFixed(max(places, -d.Exponent())) + " " + currency
}

// lasting is a measured time as people read it: "1.9 s", "42 min", "1 h 15 min".
func lasting(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%d.%d s", ms/1000, ms%1000/100)
	case d < time.Hour:
		if s := int64(d/time.Second) % 60; s != 0 {
			return fmt.Sprintf("%d min %d s", int64(d/time.Minute), s)
		}
		return fmt.Sprintf("%d min", int64(d/time.Minute))
	}
	if m := int64(d/time.Minute) % 60; m != 0 {
		return fmt.Sprintf("%d h %d min", int64(d/time.Hour), m)
	}
	return fmt.Sprintf("%d h", int64(d/time.Hour))
}

// when is an instant in the reader's zone, as short as it is clear: the time today, the date and
// time this year, the whole date before.
func (a *app) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, now := t.In(a.zone), a.now().In(a.zone)
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("02 Jan 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

func (a *app) whenever(t *time.Time) string {
	if t == nil {
		return ""
	}
	return a.when(*t)
}

// short cuts a text to n runes.
func short(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// count says "1 line", "2 lines".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
