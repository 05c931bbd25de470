package record

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

// Level is a record's severity as the ring stores it: five times slog's level,
// twice Python's level less 20. Both map exactly, so ERROR is the same number from
// either, and a level between the names keeps its place.
type Level int16

// The levels that have names.
const (
	LevelDebug    Level = -20
	LevelInfo     Level = 0
	LevelWarning  Level = 20
	LevelError    Level = 40
	LevelCritical Level = 60
)

const (
	perSlog    = 5  // stored steps in one of slog's
	perPython  = 2  // stored steps in one of Python's
	pythonInfo = 20 // Python's number for INFO, which is stored as 0
)

// Scale says whose numbers a [CustomLevel] uses.
type Scale uint8

// The scales.
const (
	ScaleSlog   Scale = 1
	ScalePython Scale = 2
)

// CustomLevel is a level as its logging library had it. A record has one only where
// [Level] can't say it all: the number does not fit, or the level has its own name.
// The zero value means that there is none.
type CustomLevel[T Text] struct {
	Scale  Scale
	Number int32 // on Scale, clamped
	Name   T     // empty: named by its number
}

// FromSlog returns the stored level of l, clamped, and l itself where it was
// clamped; that belongs in [Entry.Level].
func FromSlog(l slog.Level) (Level, CustomLevel[string]) {
	return store(int64(l), 0, perSlog, ScaleSlog)
}

// Level makes l a slog.Leveler: the lowest of slog's levels that is stored as l or higher.
func (l Level) Level() slog.Level {
	if l > 0 {
		return slog.Level((int(l) + perSlog - 1) / perSlog)
	}
	return slog.Level(l / perSlog) // towards zero, which is up
}

// FromPython returns the stored level of Python's level n, clamped, and n itself
// where it was clamped; that belongs in [Entry.Level].
func FromPython(n int) (Level, CustomLevel[string]) {
	return store(int64(n), pythonInfo, perPython, ScalePython)
}

func store(n, zero, step int64, scale Scale) (Level, CustomLevel[string]) {
	fits := min(max(n, zero+math.MinInt16/step), zero+math.MaxInt16/step)
	if n == fits {
		return Level((n - zero) * step), CustomLevel[string]{}
	}
	number := int32(min(max(n, math.MinInt32), math.MaxInt32))
	return Level((fits - zero) * step), CustomLevel[string]{Scale: scale, Number: number}
}

// Append appends l's text: a name ("INFO"), slog's form for what slog can say
// ("INFO+2", "DEBUG-3"), else Python's ("Level 21").
func (l Level) Append(dst []byte) []byte {
	if l%perSlog == 0 {
		return appendSlog(dst, int64(l)/perSlog)
	}
	if l%perPython == 0 {
		return appendPython(dst, int64(l)/perPython+pythonInfo)
	}
	// No library writes this; a damaged or foreign ring may.
	dst = append(dst, "Level "...)
	return strconv.AppendFloat(dst, float64(l)/perPython+pythonInfo, 'f', 1, 64)
}

// String returns what Append appends.
func (l Level) String() string { return string(l.Append(nil)) }

// Append appends the level's name, or the text of its number where it has none.
// A name is appended as it is: escaping is for whoever prints it.
func (c CustomLevel[T]) Append(dst []byte) []byte {
	switch {
	case len(c.Name) > 0:
		return append(dst, c.Name...)
	case c.Scale == ScaleSlog:
		return appendSlog(dst, int64(c.Number))
	default:
		return appendPython(dst, int64(c.Number))
	}
}

var levelNames = [...]string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}

// slogNamed returns slog's number for levelNames[i].
func slogNamed(i int) int64 { return 4*int64(i) - 4 }

// appendSlog appends slog's level n relative to the named level below it, or to
// DEBUG below that.
func appendSlog(dst []byte, n int64) []byte {
	i := 0
	for i+1 < len(levelNames) && slogNamed(i+1) <= n {
		i++
	}
	dst = append(dst, levelNames[i]...)
	delta := n - slogNamed(i)
	if delta > 0 {
		dst = append(dst, '+')
	}
	if delta != 0 {
		dst = strconv.AppendInt(dst, delta, 10)
	}
	return dst
}

func appendPython(dst []byte, n int64) []byte {
	return strconv.AppendInt(append(dst, "Level "...), n, 10)
}

// ParseLevel returns the level that s names, in any case: debug, info, warning or
// warn, error, critical, each of which may be followed by +N or -N in slog's steps
// ("info+2"). The error repeats s and says what is accepted.
func ParseLevel(s string) (Level, error) {
	name, delta := s, int64(0)
	if i := strings.IndexAny(s, "+-"); i >= 0 {
		n, err := strconv.ParseInt(s[i:], 10, 16)
		if err != nil {
			return 0, badLevel(s)
		}
		name, delta = s[:i], n
	}
	if strings.EqualFold(name, "warn") {
		name = "warning"
	}
	for i, known := range levelNames {
		if strings.EqualFold(name, known) {
			l, clamped := FromSlog(slog.Level(slogNamed(i) + delta))
			if clamped.Scale != 0 {
				return 0, badLevel(s)
			}
			return l, nil
		}
	}
	return 0, badLevel(s)
}

func badLevel(s string) error {
	return fmt.Errorf("record: level %q: want debug, info, warning, error or critical, or one of them with a step such as info+2", s)
}
