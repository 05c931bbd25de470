//go:build amd64 || arm64

// Package cycles reads the processor's counter as directly as Go can: the floor under a
// timestamp.
package cycles

// Now reads the counter: of amd64's TSC, of arm64's CNTVCT. The processor may read it
// before instructions that stand before it.
func Now() uint64
