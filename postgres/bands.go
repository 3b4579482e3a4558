package postgres

import (
	"fmt"
	"slices"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
)

// cutter parts work where anything that matters to money changes: at local midnights, where a
// contract's version begins or ends, and at the edges of the bands of the versions in force.
type cutter struct {
	zone     *time.Location // the client's, whose dates count
	versions []billing.Version
	bands    [][]sla.Band // of each version
	edges    []time.Time  // of the versions, in order
	banded   bool
}

func newCutter(zone *time.Location, versions []billing.Version) (*cutter, error) {
	c := &cutter{zone: zone, versions: versions, bands: make([][]sla.Band, len(versions))}
	for i, v := range versions {
		bands, err := bandsOf(v.Contract, v.Terms)
		if err != nil {
			return nil, fmt.Errorf("contract %s revision %d: %w", v.Contract, v.Revision, err)
		}
		c.bands[i], c.banded = bands, c.banded || len(bands) > 0
		c.edges = append(c.edges, v.From)
		if !v.Until.IsZero() {
			c.edges = append(c.edges, v.Until)
		}
	}
	slices.SortFunc(c.edges, time.Time.Compare)
	return c, nil
}

// segments tiles an entry. One whose start nobody knows is of one date, and in no band.
func (c *cutter) segments(w workRow) ([]billing.Segment, error) {
	if w.MS == 0 {
		return []billing.Segment{}, nil
	}
	start := w.StartedAt.UTC()
	if w.Unstarted {
		return []billing.Segment{{To: w.MS, Date: sla.DateAt(start, c.zone).String()}}, nil
	}
	end := start.Add(time.Duration(w.MS) * time.Millisecond)
	cut, err := c.cut(start, end)
	if err != nil {
		return nil, err
	}
	parts := make([]billing.Segment, 0, len(cut))
	for _, s := range cut {
		parts = append(parts, billing.Segment{
			From: s.From.Sub(start).Milliseconds(), To: s.To.Sub(start).Milliseconds(), Date: s.Date.String(), Bands: s.Bands,
		})
	}
	return parts, nil
}

// cut cuts version by version: two revisions of a contract may draw the same band otherwise, and
// each counts only while it is in force.
func (c *cutter) cut(start, end time.Time) ([]sla.Segment, error) {
	if !c.banded {
		return sla.Cut(start, end, c.zone, nil, c.edges)
	}
	var all []sla.Segment
	for from := start; from.Before(end); {
		to := end
		if i := slices.IndexFunc(c.edges, from.Before); i >= 0 && c.edges[i].Before(end) {
			to = c.edges[i]
		}
		var bands []sla.Band
		for i, v := range c.versions {
			if v.InForce(from) {
				bands = append(bands, c.bands[i]...)
			}
		}
		part, err := sla.Cut(from, to, c.zone, bands, nil)
		if err != nil {
			return nil, err
		}
		all, from = append(all, part...), to
	}
	return all, nil
}

// bandsOf turns the bands of a contract into those that spans are cut by, named CONTRACT/band.
func bandsOf(contract string, terms *billing.Terms) ([]sla.Band, error) {
	var bands []sla.Band
	for _, b := range terms.Bands() {
		band := sla.Band{Name: contract + "/" + b.Name, Zone: b.Zone}
		windows := []sla.Window{sla.WholeDay}
		if len(b.Hours) > 0 {
			windows = make([]sla.Window, len(b.Hours))
		}
		for i, h := range b.Hours {
			if err := windows[i].UnmarshalText([]byte(h)); err != nil {
				return nil, fmt.Errorf("band %s: %w", b.Name, err)
			}
		}
		for _, day := range b.Days {
			if err := bandDay(&band.Hours, day, windows); err != nil {
				return nil, fmt.Errorf("band %s: %w", b.Name, err)
			}
		}
		for _, dates := range []struct {
			from []string
			to   *[]sla.Holiday
		}{{b.Dates, &band.Also}, {b.Except, &band.Except}} {
			for _, text := range dates.from {
				date, err := sla.ParseDate(text)
				if err != nil {
					return nil, fmt.Errorf("band %s: %w", b.Name, err)
				}
				*dates.to = append(*dates.to, sla.Holiday{Date: date})
			}
		}
		bands = append(bands, band)
	}
	return bands, nil
}

func bandDay(week *sla.Week, day string, windows []sla.Window) error {
	switch day {
	case "monday":
		week.Monday = windows
	case "tuesday":
		week.Tuesday = windows
	case "wednesday":
		week.Wednesday = windows
	case "thursday":
		week.Thursday = windows
	case "friday":
		week.Friday = windows
	case "saturday":
		week.Saturday = windows
	case "sunday":
		week.Sunday = windows
	case "weekdays":
		week.Monday, week.Tuesday, week.Wednesday, week.Thursday, week.Friday = windows, windows, windows, windows, windows
	case "weekend":
		week.Saturday, week.Sunday = windows, windows
	default:
		return fmt.Errorf("%q is no day of the week", day)
	}
	return nil
}
