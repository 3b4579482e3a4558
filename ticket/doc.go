// Package ticket owns the vocabulary of the desk: ticket ids, stages, the messages a
// ticket understands with their payloads, and the checks of their shape.
// It does not own what a message does, money, storage or time.
package ticket
