//go:build linux

package logfile

import (
	"math"
	"sync"

	"gopkg.in/natefinch/lumberjack.v2"
)

// A lumberjack.Logger starts a clean-up goroutine at its first write that never
// ends. So a File keeps one Logger for life, through all rotations, and a closed
// File's Logger serves the next Open: there are as many such goroutines as
// outputs were ever open at once, not one for each of thousands of trials.
var idle struct {
	sync.Mutex
	loggers []*lumberjack.Logger
}

// takeLogger returns a Logger that has nothing open.
func takeLogger() *lumberjack.Logger {
	idle.Lock()
	defer idle.Unlock()
	if n := len(idle.loggers); n > 0 {
		l := idle.loggers[n-1]
		idle.loggers = idle.loggers[:n-1]
		return l
	}
	// In MiB, and so large that lumberjack never rotates. The other limits stay
	// zero: its clean-up then finds nothing to do.
	return &lumberjack.Logger{MaxSize: math.MaxInt >> 20}
}

// returnLogger gives back a Logger after its Close.
func returnLogger(l *lumberjack.Logger) {
	idle.Lock()
	defer idle.Unlock()
	idle.loggers = append(idle.loggers, l)
}
