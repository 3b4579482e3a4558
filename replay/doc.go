// Package replay owns telling a service desk's incident log again: reading it, deciding which
// message each change stands for, sending those in order, and counting what became of them.
// It does not own what a message does (the desk and its workflow), nor what a ticket costs.
package replay
