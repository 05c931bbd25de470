//go:build race

package ring

// raceEnabled: the race detector performs atomics in C, where a fault ends the
// process and not the goroutine. So tests that fault on purpose run without it.
const raceEnabled = true
