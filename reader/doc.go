// Package reader drains a ring into log files: the one process that reads what
// the workers append.
//
// A drain is a sequence of batches, each a transaction (rules D1 to D10 of
// docs/format.md):
//
//	collect and merge → format → write the intent → write outputs
//	→ mark applied → publish → clear the intent
//
// Records of one lane keep their order; across lanes they are merged by time.
// Until a batch is published its records stay in the ring, and the intent says
// how to undo what is half written; so a reader may be killed at any instant, and
// the next one delivers every record exactly once. Options.Sync says what holds when the
// power fails, too.
//
// Start does it all for a program that has workers: it makes the ring, drains it in
// the background, and removes it at the end. On systems other than Linux, which
// have no rings, that is all there is of this package, and loggers write to
// standard error.
//
// Reading order: reader.go (the loop), cycle.go (one batch), stream.go (one lane), merge.go (all of
// them), batch.go (the transaction), output.go (where lines go), recover.go (what
// a killed reader left), sync.go (what a power loss leaves), trouble.go (what fails for a
// while), marker.go (what the reader itself has to say), remove.go
// (the end of a ring); then start.go (what programs see of it), start_linux.go (which
// ring it is), make.go (a new one), session.go (the drain behind a Handle), signals.go.
package reader
