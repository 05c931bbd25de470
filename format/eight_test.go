package format

import (
	"math"
	"strconv"
	"testing"
)

// Each byte at each place of words of each length, in a buffer with and without room.
func TestWordsAreTakenAsTheyAreOrNotAtAll(t *testing.T) {
	t.Parallel()
	for n := range 30 {
		word := make([]byte, n)
		for i := range word {
			word[i] = "~!az09_-"[i%8]
		}
		for at := range word {
			kept := word[at]
			for b := range 256 {
				word[at] = byte(b)
				plain := b > ' ' && b < 0x7f && b != '=' && b != '"'
				for _, dst := range [][]byte{[]byte("a")[:1:1], append(make([]byte, 0, 100), 'a')} {
					want := "a"
					if plain {
						want += string(word)
					}
					if got, ok := appendBare(dst, word); ok != plain || string(got) != want {
						t.Errorf("%q: %q, %v", word, got, ok)
					}
					got, taken := appendShown(dst, word)
					if string(got) != "a"+string(word[:taken]) || taken > at && !plainASCII[b] || plainASCII[b] && taken < n {
						t.Errorf("%q shown: %q, %d bytes", word, got, taken)
					}
					want = "a " + string(appendWord(nil, word)) + "="
					if got := appendKey(dst, word); string(got) != want {
						t.Errorf("%q, want %q", got, want)
					}
				}
			}
			word[at] = kept
		}
	}
	if _, ok := appendBare(nil, nil); ok {
		t.Error("an empty word needs no quotes")
	}
}

func TestNumbersReadAsStrconvWritesThem(t *testing.T) {
	t.Parallel()
	check := func(n uint64) {
		t.Helper()
		if got, want := string(appendInt(nil, int64(n))), strconv.FormatInt(int64(n), 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := string(appendUint(nil, n)), strconv.FormatUint(n, 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for n := range uint64(20_000) {
		check(n)
		check(-n)
	}
	for n := uint64(1); n <= math.MaxUint64/10; n *= 10 {
		for _, n := range []uint64{n - 1, n, n + 1, 3 * n, 10*n - 1} {
			check(n)
			check(-n)
		}
	}
	for n := uint64(0); n < 100_000_000; n += 9_973 {
		check(n)
	}
	for _, n := range []uint64{math.MaxInt64, 1 << 63, math.MaxUint64, 99_999_999, 100_000_000, 1<<32 - 1, 1 << 32, 1<<32 + 7} {
		check(n)
		check(-n)
	}
}
