package billing

import "slices"

// Want says which shared allowances Decide may read for these facts, so that the store
// locks them first: the period's counters by key, the blocks of which contracts, the
// allowances of which periods. Blocks
// and counters of the facts are not looked at. Plain covered and time-and-materials work
// of people wants nothing.
//
// It decides with nothing granted and nothing counted, and hears what is asked for: without
// blocks all work under them is overage, so no more can be asked for with them.
func Want(f Facts) Wants {
	wants, _, _ := Sketch(f) // Decide refuses the same facts with the same error
	return wants
}

// Sketch is Want, with the decision that it came upon: where nothing is wanted, it is what Decide gives.
func Sketch(f Facts) (Wants, Decision, error) {
	f.Blocks, f.Counters = nil, nil
	wants := Wants{Counters: []string{}, Blocks: []string{}}
	d, err := begin(f)
	if err != nil {
		return wants, Decision{}, err
	}
	d.asked = &wants
	decision, err := d.decide()
	if err != nil {
		return Wants{Counters: []string{}, Blocks: []string{}}, Decision{}, err
	}
	for i := range d.pieces {
		p := &d.pieces[i]
		if p.version < 0 || p.tie >= 0 || p.warranty || p.lapse.reason != "" {
			continue
		}
		switch p.line.Charge {
		case chargeBlock:
			wants.Blocks = append(wants.Blocks, d.facts.Contracts[p.version].Contract)
		case chargeBucket:
			d.wantBucket(&wants, p)
		}
	}
	wants.Counters = sorted(wants.Counters)
	wants.Blocks = sorted(wants.Blocks)
	slices.SortFunc(wants.Buckets, BucketWant.compare)
	return wants, decision, nil
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
