package main

import (
	"math/rand/v2"
	"strconv"

	"github.com/ringlog/ringlog/record"
)

// maxGoroutines is how many goroutines a worker has at most.
const maxGoroutines = 3

// filler is what messages are cut from: letters that no formatter escapes, so that
// what comes out can be compared byte for byte.
var filler = func() []byte {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	rnd := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = letters[rnd.IntN(len(letters))]
	}
	return b
}()

// mix spreads x over all bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendMessage appends the message of record n of goroutine g of worker w: who
// wrote it, and bytes that depend on all three in length and content. So a message
// that was torn or mixed with another cannot look whole.
func appendMessage(dst []byte, w, g int, n uint64) []byte {
	dst = append(dst, 'w')
	dst = strconv.AppendInt(dst, int64(w), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(g), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, n, 10)
	dst = append(dst, ' ')
	h := mix(mix(uint64(w)<<8|uint64(g)) ^ n)
	size := h % 120
	switch most := h >> 8 % 256; {
	case most < 4: // two records in 128 take up to a tenth of a lane
		size = h >> 16 % 7000
	case most < 40:
		size = h >> 16 % 800
	}
	start := h >> 32 % (uint64(len(filler)) - size)
	return append(dst, filler[start:start+size]...)
}

// What follows depends on n alone, so that each output can be told which numbers it
// has to have.

// loggerOf is the logger of a record n. Every seventh record has none: it is
// appended raw.
func loggerOf(n uint64) string {
	switch {
	case raw(n):
		return ""
	case n%4 == 0:
		return "trades.fx"
	case n%4 == 2:
		return "orders"
	}
	return "app"
}

func raw(n uint64) bool { return n%7 == 0 }

// numbered says whether a record n has its number as an attribute too.
func numbered(n uint64) bool { return !raw(n) && n%5 == 0 }

// levelOf is the level of a record n, with the name that lines show.
func levelOf(n uint64) (record.Level, string) {
	switch n % 16 {
	case 3:
		return record.LevelWarning, "WARNING"
	case 9:
		return record.LevelError, "ERROR"
	}
	return record.LevelInfo, "INFO"
}
