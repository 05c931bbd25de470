// Package ring is the ring file: a memory-mapped file through which many writer
// processes hand log records to one reader process, without a lock and without a
// system call.
//
// The file is a header, a control area, an intent area, a lane table and lanes:
//
//	┌────────┬─────────┬────────┬────────────┬────────┬────────┬─────
//	│ header │ control │ intent │ lane table │ lane 0 │ lane 1 │ ...
//	└────────┴─────────┴────────┴────────────┴────────┴────────┴─────
//
// A lane is a ring of bytes that belongs to one live process. Its goroutines
// share it: each claims room by a compare-and-swap on the lane's producer
// position, writes its record there, and commits by storing the record's stamp,
// which is the record's own position mixed with the ring's key. The reader
// accepts at position P only what bears P's own stamp and whose checksum holds;
// so memory of an earlier lap is never taken for a record. Behind the consumer
// position, which the reader publishes, memory is free again.
//
//	 consumer                       producer
//	    ▼                              ▼
//	░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░
//	    └─ committed, claimed, padding ─┘
//
// Positions count bytes since the lane was made and are never reset; an offset
// is a position masked by the lane's size.
//
// Who owns what is decided by open-file-description locks, which the kernel drops
// when a process dies. A lane whose owner died is drained to the last record it
// committed and then handed to the next process.
//
// # Reading the source
//
// docs/format.md is the authority on bytes. Then:
//
//   - layout.go: every offset, by the names of that document
//   - record.go: stamp, checksum, padding
//   - producer.go: claim, commit, abort; append.go: all of it at once, the hot path
//   - read.go: what a reader accepts, in live lanes and in dead ones
//   - entry.go, owner.go: who owns a lane, and how it changes hands
//   - intent.go, consumer.go: the transaction that moves consumer positions
//   - retire.go: how a ring is removed
//   - levels.go: minimum levels that running writers obey
//   - inspect.go, salvage.go: looking at a ring without trusting it
//   - file.go, lock.go, space.go, create.go: the file under it all
//
// Rules are cited by the numbers of docs/format.md (R1, O4, W2, ...).
package ring
