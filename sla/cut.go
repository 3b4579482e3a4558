package sla

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Band names a part of the week that a contract prices apart, such as 'evening' or 'holiday'.
type Band struct {
	Name string `json:"name" yaml:"name"`
	// Zone is whose wall clock the hours follow; empty means the zone that the work is cut in.
	Zone string `json:"zone,omitempty" yaml:"zone,omitempty"`
	// Hours are the windows of each weekday.
	Hours Week `json:"hours" yaml:"hours"`
	// Also are dates on which the band applies beside its hours; Except are dates on which it does not, and wins.
	Also   []Holiday `json:"also,omitempty" yaml:"also,omitempty"`
	Except []Holiday `json:"except,omitempty" yaml:"except,omitempty"`
	// Recurring are days of every year on which the band applies beside its hours; Except wins over them, too.
	Recurring []Recurring `json:"recurring,omitempty" yaml:"recurring,omitempty"`
}

// Validate joins all errors of the band: no name, an unknown zone, bad windows or dates.
func (b Band) Validate() error {
	errs := []error{b.Hours.Validate(), validateHolidays("also", b.Also), validateHolidays("except", b.Except)}
	if _, err := openRecurring("recurring", b.Recurring); err != nil {
		errs = append(errs, err)
	}
	if b.Name == "" {
		errs = append(errs, errors.New("name: give the band one"))
	}
	if b.Zone != "" {
		_, err := Zone(b.Zone)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("band %q: %w", shorten(b.Name), err)
	}
	return nil
}

// Segment is a part of a span, half-open and in UTC, that lies within one local date and within the same bands.
type Segment struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Date LocalDate `json:"date"`
	// Bands are the names of all bands that match, sorted; none is standard time. The contract decides among them.
	Bands []string `json:"bands,omitempty"`
}

// Duration is the elapsed time of the segment.
func (s Segment) Duration() time.Duration { return s.To.Sub(s.From) }

// Cut divides the span [from, to) at local midnights of the zone (and so at the edges of every billing period), at the
// wall-clock edges of the bands, and at the extra instants, such as where a contract's version ends. The segments tile
// the span without gap or overlap; an empty span has none. It refuses a span that ends before it starts or is longer
// than 40 years, a missing zone, and bands that are malformed or share a name.
func Cut(from, to time.Time, zone *time.Location, bands []Band, edges []time.Time) ([]Segment, error) {
	if zone == nil {
		return nil, errors.New("cut: zone: it is missing; load an IANA time zone")
	}
	if err := errors.Join(checkSpan(from, to), validateBands(bands)); err != nil {
		return nil, fmt.Errorf("cut: %w", err)
	}
	from, to = from.UTC(), to.UTC()
	if from.Equal(to) {
		return nil, nil
	}
	cuts := []time.Time{from, to}
	add := func(t time.Time) {
		if from.Before(t) && t.Before(to) {
			cuts = append(cuts, t.UTC())
		}
	}
	for _, edge := range edges {
		add(edge)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	kept := slices.Clone(cuts)
	for day := DateAt(from, zone).AddDays(1); day.StartIn(zone).Before(to); day = day.AddDays(1) {
		add(day.StartIn(zone))
	}
	covers := make([]cover, 0, len(bands))
	for _, b := range bands {
		spans, err := b.spans(zone, from, to)
		if err != nil {
			return nil, fmt.Errorf("cut: band %q: %w", b.Name, err)
		}
		for _, s := range spans {
			add(s.from)
			add(s.to)
		}
		covers = append(covers, cover{b.Name, spans})
	}
	slices.SortFunc(covers, func(a, b cover) int { return cmp.Compare(a.name, b.name) })
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)

	var segments []Segment
	for i := 1; i < len(cuts); i++ {
		s := Segment{From: cuts[i-1], To: cuts[i], Date: DateAt(cuts[i-1], zone)}
		for j := range covers {
			if covers[j].reaches(s.From) {
				s.Bands = append(s.Bands, covers[j].name)
			}
		}
		segments = join(segments, s, kept)
	}
	return segments, nil
}

// join appends s, or lengthens the last segment where nothing tells the two apart and no extra edge parts them.
func join(segments []Segment, s Segment, kept []time.Time) []Segment {
	if n := len(segments) - 1; n >= 0 {
		last := &segments[n]
		_, parted := slices.BinarySearchFunc(kept, s.From, time.Time.Compare)
		if !parted && last.Date == s.Date && slices.Equal(last.Bands, s.Bands) {
			last.To = s.To
			return segments
		}
	}
	return append(segments, s)
}

// cover is a band laid over a span.
type cover struct {
	name  string
	spans []span
}

// reaches reports whether the instant is within the band. It drops what has passed, so ask in order of time.
func (c *cover) reaches(t time.Time) bool {
	for len(c.spans) > 0 && !c.spans[0].to.After(t) {
		c.spans = c.spans[1:]
	}
	return len(c.spans) > 0 && !c.spans[0].from.After(t)
}

// spans returns where the band applies within [from, to): by the clock of its own zone, else of the one given.
func (b Band) spans(zone *time.Location, from, to time.Time) ([]span, error) {
	if b.Zone != "" {
		own, err := Zone(b.Zone)
		if err != nil {
			return nil, err
		}
		zone = own
	}
	yearly, err := openRecurring("recurring", b.Recurring)
	if err != nil {
		return nil, err
	}
	also, except := byDate(b.Also), byDate(b.Except)
	windowsOn := func(d LocalDate) []Window {
		hours := b.Hours.On(d.Weekday())
		for _, more := range append(yearly.on(d), also[d]) {
			hours = append(subtract(hours, more), more...)
		}
		return subtract(hours, except[d])
	}
	return slices.Collect(spansOf(windowsOn, zone, from, to)), nil
}

func byDate(holidays []Holiday) map[LocalDate][]Window {
	days := make(map[LocalDate][]Window, len(holidays))
	for _, h := range holidays {
		days[h.Date] = h.Hours()
	}
	return days
}

func validateBands(bands []Band) error {
	var errs []error
	seen := map[string]bool{}
	for _, b := range bands {
		errs = append(errs, b.Validate())
		if seen[b.Name] {
			errs = append(errs, fmt.Errorf("band %q: the name is there twice", shorten(b.Name)))
		}
		seen[b.Name] = true
	}
	return errors.Join(errs...)
}
