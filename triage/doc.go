// Package triage reads a ticket, says what it is about and how pressing it is, and decides who takes it.
//
// It owns the classification rules, the priority matrix and the routing rules. It does not own storage, the clocks that
// a priority starts (sla), or any learned model. Every function is pure: the same ticket and the same people give the
// same answer, whatever order they come in.
package triage
