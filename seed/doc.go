// Package seed owns the demo's MSP: its people, clients, contracts and blocks of hours, and
// the tickets that the demo plays. It is data, and Apply, which stores what is missing.
// It does not own the playing (cmd/docket) nor the storing (postgres).
package seed
