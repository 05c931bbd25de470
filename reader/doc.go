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
// the next one delivers every record exactly once.
//
// Reading order: reader.go (the loop), stream.go (one lane), merge.go (all of
// them), batch.go (the transaction), output.go (where lines go), recover.go (what
// a killed reader left), marker.go (what the reader itself has to say).
package reader
