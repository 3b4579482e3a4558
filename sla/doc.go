// Package sla tells business time: when a clock is due, how much working time lies between two instants, and how a
// span of work falls into bands, dates and billing periods.
//
// It owns calendars, clocks, local dates, billing cycles, and the cutting of spans. It does not own money (billing
// prices what is cut here), storage, or timers (a workflow waits until the instant that a clock names).
//
// Every function is pure given the time zone database: no clock is read, nothing is kept. Two rules hold everywhere:
//
//   - Edges are wall clock, lengths are instants. A window says 08:00–17:00 as the clock on the wall shows it; how long
//     it is on a given day comes from the two instants.
//   - An edge that the clocks skip is the first instant after the gap; an edge that they show twice is its first
//     occurrence. So New York's 00:30–03:00 is 210 minutes on 2026-11-01 and 90 on 2026-03-08.
package sla
