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
	wants, _, _ := want(f, false) // Decide refuses the same facts with the same error
	return wants
}

// Sketch is Want for a rehearsal, with the decision that it came upon: where nothing is wanted, it is what Decide gives. Where
// hours are wanted it goes no further, and does not hear of all counters: the rehearsal looks them up as it decides.
func Sketch(f Facts) (Wants, Decision, error) { return want(f, true) }

func want(f Facts, sketch bool) (Wants, Decision, error) {
	f.Blocks, f.Counters = nil, nil
	nothing := Wants{Counters: []string{}, Blocks: []string{}}
	wants := nothing
	d, err := begin(f)
	if err != nil {
		return nothing, Decision{}, err
	}
	d.asked = &wants
	d.survey()
	d.wantHours(&wants)
	var decision Decision
	if !sketch || len(wants.Blocks)+len(wants.Buckets) == 0 {
		if decision, err = d.rate(); err != nil {
			return nothing, Decision{}, err
		}
	} else {
		for _, contract := range wants.Blocks {
			wants.Counters = append(wants.Counters, OverdrawnKey(contract)) // what a block pays back before it is drawn
		}
	}
	wants.Counters = sorted(wants.Counters)
	return wants, decision, nil
}

// wantHours says from which blocks and allowances the pieces may draw.
func (d *decider) wantHours(wants *Wants) {
	for i := range d.pieces {
		p := &d.pieces[i]
		if p.version < 0 || p.tie >= 0 || p.warranty || p.lapse.reason != "" {
			continue
		}
		switch p.line.Charge {
		case chargeBlock:
			wants.Blocks = append(wants.Blocks, d.facts.Contracts[p.version].Contract)
		case chargeBucket:
			d.wantBucket(wants, p)
		}
	}
	wants.Blocks = sorted(wants.Blocks)
	slices.SortFunc(wants.Buckets, BucketWant.compare)
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
