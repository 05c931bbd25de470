package main

import (
	"encoding/json"
	"hash/maphash"
	"log/slog"
)

// expected is what one worker's records must be, known from the trials it was given
// alone: the judge does those again and never asks the worker what it logged.
type expected struct {
	of    []uint8  // of each record: its logger, an index in names
	sums  []uint64 // and the checksum of what it says
	study string
	trial int // whose records are being made
	text  []byte
}

// seed makes the checksums of this process comparable with each other.
var seed = maphash.MakeSeed()

// checksum is that of what a line says: its message and its attributes as JSON.
func checksum(logger, msg string, attrs []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(logger)
	h.WriteByte(0)
	h.WriteString(msg)
	h.WriteByte(0)
	h.Write(attrs)
	return h.Sum64()
}

// expect does trials again, in order, and keeps what each record must be.
func expect(m *market, study string, trials []trial) (*expected, error) {
	x := &expected{study: study}
	for _, t := range trials {
		x.trial = t.Number
		if _, err := m.backtest(t, loggers{expecting{x, 0}, expecting{x, 1}, expecting{x, 2}}); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// expecting is a logger whose records are only expected.
type expecting struct {
	*expected
	name uint8
}

// Log implements logger. The attributes are those that a worker's record has:
// study and trial, its own, and its number.
func (x expecting) Log(_ slog.Level, msg string, attrs ...slog.Attr) error {
	x.text = append(x.text[:0], '{')
	x.add(slog.String("study", x.study), slog.Int("trial", x.trial))
	x.add(attrs...)
	x.add(slog.Int("n", len(x.sums)+1))
	x.text[len(x.text)-1] = '}' // in the place of a comma
	x.of = append(x.of, x.name)
	x.sums = append(x.sums, checksum(names[x.name], msg, x.text))
	return nil
}

func (x *expected) add(attrs ...slog.Attr) {
	for _, a := range attrs {
		key, _ := json.Marshal(a.Key) // strings and numbers always can be
		value, _ := json.Marshal(a.Value.Any())
		x.text = append(append(append(append(x.text, key...), ':'), value...), ',')
	}
}

// count is how many of the first n records are of a logger; of any if it is empty.
func (x *expected) count(n int, logger string) (sum int) {
	for _, name := range x.of[:min(n, len(x.of))] {
		if logger == "" || names[name] == logger {
			sum++
		}
	}
	return sum
}
