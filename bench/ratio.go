package bench

import "slices"

// medianRatio is the median of a/b, pair by pair: both sides of a pair ran next to each other,
// so a machine that slows down slows both.
func medianRatio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return Median(ratios)
}

// Median is the middle of the values, of an even number the mean of the middle two; 0 without any.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
