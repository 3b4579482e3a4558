package sla

import (
	"fmt"
	"sync"
	"time"
)

// zones keeps what was loaded, by name: a zone never changes within a process, there are only some hundred, and loading
// one costs ten times what cutting an entry does.
var zones sync.Map

// Zone returns the IANA time zone of the name. It refuses an unknown name, and those that mean another zone on another
// machine ("" and Local).
func Zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("zone %q: name an IANA time zone, for example America/New_York", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone %q: not in the IANA time zone database; write it as America/New_York: %w", shorten(name), err)
	}
	zones.Store(name, zone)
	return zone, nil
}
