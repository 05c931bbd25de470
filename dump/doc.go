// Package dump reads what is in a ring without changing it: after a crash, or
// beside a running reader.
//
// Scan goes through the lanes, one after the other, on private copies, and makes
// an index of their records. Lines then yields the records in order of time and,
// for equal times, of lane and position. Scan follows the rules for reading in
// docs/format.md (C1 to C8, D7); where a lane's positions cannot be believed it
// takes every whole record that it finds.
//
// Memory: an index of 32 bytes for each record shown, 128 MiB of lane copies, 128
// MiB of other lanes' records, and one lane at a time; two to three times that with
// what the garbage collector has not given back yet. So a ring of any size can be
// read: records of lanes that were not kept are read again when it is their turn.
//
// Reading order: dump.go, lane.go (what of a lane is shown), attribution.go
// (whose it is, and its number), lines.go (from the index to lines), issue.go,
// counts.go.
package dump
