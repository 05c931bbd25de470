// Package peer is what the benchmark asks of everything that it compares: a way to
// log, with as many worker processes as its users would have, each of which does
// what lines on its standard input order.
//
// Reading order: peer.go (what a peer is), protocol.go (the lines), worker.go (a
// worker as the benchmark sees it), serve.go (a worker's own side, for those in Go),
// crew.go (all workers of a session).
package peer

import (
	"context"
	"fmt"
	"time"
)

// Payload is what every call of a session logs.
type Payload string

// Payloads. Both are about 100 bytes as a ring has them.
const (
	Message Payload = "message" // a text of 100 bytes: Text
	Fields  Payload = "fields"  // a message of 25 bytes, an int, a float64 and a short string, at INFO
)

// What is logged. In other languages than Go the same bytes are to be used.
const (
	Text       = "2026-11-23 18:47:01,123 - trades - INFO - filled order 4711 at 101.25 for study 17, trial 3, wrkr 12"
	FieldsText = "order filled at the limit"
	Price      = 101.25 // key "price"; the int, "trial", is the number of the call in its burst
	Symbol     = "SPX"  // key "symbol"
)

// Info says what a peer is.
type Info struct {
	Name     string    // as tables have it, and no two have the same: "spdlog async"
	Language string    // "C++"
	Setting  string    // how it is set up, in one line
	Payloads []Payload // those it can log
	// Processes is how many worker processes may log to one place at once; 0: any
	// number.
	Processes int
}

// Dirs are folders for a session. They exist, are empty, and are removed by whoever
// called Open, after Close.
type Dirs struct {
	Work string // on a file system in memory where there is one: sockets, rings, programs
	Logs string // where log files go
}

// Peer is one way to log. Its methods are called by one goroutine at a time.
type Peer interface {
	Info() Info
	// Open prepares everything and starts workers processes, which are ready when it
	// returns. What must be compiled is compiled at the first call. All processes end
	// when ctx does. A *Missing error says that the peer is not installed here; it
	// is then skipped.
	Open(ctx context.Context, dirs Dirs, workers int, what Payload) (Session, error)
}

// Session is a peer at work.
type Session interface {
	// Crew is all of the workers.
	Crew() Crew
	// Settle waits until all that the workers logged is in the log files, and counts
	// it there. The workers do nothing meanwhile, and nothing afterwards: Settle is
	// called once at most, and then Close.
	Settle(ctx context.Context) (Settled, error)
	// Close ends all processes, also those of a session that was not settled, and
	// leaves nothing behind but files in the session's folders.
	Close() error
}

// Settled is what came of a session.
type Settled struct {
	At      time.Time // when all was in the files; the counting that follows takes no part in it
	Arrived uint64    // records in the files since Open
	Bytes   uint64    // size of the files
}

// Missing says that a peer is not installed.
type Missing struct {
	What    string // "lttng-tools"
	Install string // the command that installs it: "apt-get install lttng-tools"
}

func (m *Missing) Error() string {
	return fmt.Sprintf("%s is not installed: %s", m.What, m.Install)
}
