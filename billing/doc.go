// Package billing owns the rules of money: the facts of a closure, Decide which turns
// them into charges and holds, contract terms, quotes, settlements, reversals,
// receipts and their explanation.
//
// It is pure: no clock, context, randomness, I/O or global state, and exact decimals
// from end to end. The same Facts give the same Decision, byte for byte, so that a
// stored decision can be proved again from its facts at any later time.
//
// It does not own storage, locks, calendars (facts arrive cut into segments) or people.
package billing
