package triage

import "fmt"

// matrix gives the priority, 1 (critical) to 5 (planning), by impact (rows) and urgency (columns), 1 (high) to 3 (low).
// It is ITIL's, as ServiceNow ships it:
//
//	                urgency 1  urgency 2  urgency 3
//	impact 1 (high)     1          2          3
//	impact 2            2          3          4
//	impact 3 (low)      3          4          5
var matrix = [3][3]int{
	{1, 2, 3},
	{2, 3, 4},
	{3, 4, 5},
}

// Priority returns 1 (critical) to 5 (planning) for an impact and an urgency of 1 (high) to 3 (low) each.
func Priority(impact, urgency int) (int, error) {
	if impact < 1 || impact > 3 {
		return 0, fmt.Errorf("impact %d: give 1 (high), 2 (medium) or 3 (low)", impact)
	}
	if urgency < 1 || urgency > 3 {
		return 0, fmt.Errorf("urgency %d: give 1 (high), 2 (medium) or 3 (low)", urgency)
	}
	return matrix[impact-1][urgency-1], nil
}
