package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
)

// shapeSample is how many histories of each side are read. The server now and then splits what
// usually is one workflow task, so the most frequent shape counts.
const shapeSample = 25

// sameShape compares the histories of both sides by type of event, and gives the ticket's.
func (s *servers) sameShape(ctx context.Context, tickets, empties []string) (map[string]int, error) {
	ours, err := s.shape(ctx, tickets)
	if err != nil {
		return nil, err
	}
	theirs, err := s.shape(ctx, empties)
	if err != nil {
		return nil, err
	}
	if !maps.Equal(ours, theirs) {
		return nil, fmt.Errorf("the empty workflow is no yardstick any more: its history differs from a covered ticket's\n%s", besides(ours, theirs))
	}
	return ours, nil
}

// shape is the most frequent history of the last workflows, as counts by type of event.
func (s *servers) shape(ctx context.Context, ids []string) (map[string]int, error) {
	shapes, seen := map[string]map[string]int{}, map[string]int{}
	var usual string
	for _, id := range ids[max(0, len(ids)-shapeSample):] {
		events := map[string]int{}
		history := s.client.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return nil, fmt.Errorf("read the history of %s: %w", id, err)
			}
			events[event.GetEventType().String()]++
		}
		key := fmt.Sprint(events) // maps print in order of their keys
		shapes[key] = events
		seen[key]++
		if seen[key] > seen[usual] {
			usual = key
		}
	}
	return shapes[usual], nil
}

// besides prints two counts by name.
func besides(ours, theirs map[string]int) string {
	names := maps.Clone(ours)
	maps.Copy(names, theirs)
	var table strings.Builder
	_, _ = fmt.Fprintf(&table, "%6s %6s\n", "ticket", "empty")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, _ = fmt.Fprintf(&table, "%6d %6d  %s\n", ours[name], theirs[name], name)
	}
	return table.String()
}
