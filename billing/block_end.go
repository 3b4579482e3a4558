package billing

import "fmt"

// EndedBlock is a block whose end is on record, as its row stands under its lock. What was left at its end rolled over
// up to a limit, and the rest was forfeited; nothing is ever left in it.
type EndedBlock struct {
	LeftMS      int64 // before what is on its way: 0, but for the moment of its end
	ForfeitedMS int64
	RolledMS    int64
	RolloverMS  int64 // most that may roll over; 0 where no allowance follows
}

// EndMoves are the moves that go with a draw from a block that has ended, or with a return to it. Restores and Unrolls
// undo what its end did, Forfeits and Rolls do it again.
type EndMoves struct {
	Restores int64
	Unrolls  int64
	Forfeits int64
	Rolls    int64
}

// After says what goes with taking so many milliseconds from the block (negative: giving them back), so that what it has
// forfeited and what has rolled over is what it would be, had they been taken in time. What is left rolls over before
// anything is forfeited, so what is missing comes from the forfeited first.
func (b EndedBlock) After(taken int64) (EndMoves, error) {
	var m EndMoves
	left := b.LeftMS - taken
	if left < 0 {
		m.Restores = min(-left, b.ForfeitedMS)
		m.Unrolls = -left - m.Restores
		if m.Unrolls > b.RolledMS {
			return m, fmt.Errorf("%d ms cannot be taken: %d are left, %d forfeited, %d rolled over", taken, b.LeftMS, b.ForfeitedMS, b.RolledMS)
		}
		return m, nil
	}
	m.Rolls = min(left, max(b.RolloverMS-b.RolledMS, 0))
	m.Forfeits = left - m.Rolls
	return m, nil
}
