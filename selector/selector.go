// Package selector says which records somebody wants: those of certain loggers, those
// with certain attributes, or both.
package selector

import (
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// Selector wants the records for which all that it says holds. The zero value wants
// every record. It may be used by any number of goroutines.
type Selector struct {
	// Loggers are the names of the loggers whose records, and those of the loggers
	// below them ("trades" and "trades.fx"), are wanted; none: all. "root" wants the
	// records of the root logger as well, whose name is empty: lines show it as root.
	Loggers []string
	// Attrs are attributes that a record must have, every one of them.
	Attrs []Attr
}

// rootLogger is how lines show the logger without a name.
const rootLogger = "root"

// Attr is an attribute outside of all groups and the text of its value, which is
// what format.Text shows, without quotes and escapes: {"trial", "17"}. Of an
// attribute that a record has several times, any may be meant.
type Attr struct{ Key, Value string }

// Empty says that s wants every record.
func (s *Selector) Empty() bool { return len(s.Loggers) == 0 && len(s.Attrs) == 0 }

// Wants says whether s wants r. It allocates nothing, and looks at r's attributes
// only if s has some.
func (s *Selector) Wants(r *record.Record) bool {
	if len(s.Loggers) > 0 && !s.wantsLogger(r.Logger()) {
		return false
	}
	for i := range s.Attrs {
		if !s.Attrs[i].in(r.Attrs()) {
			return false
		}
	}
	return true
}

func (s *Selector) wantsLogger(logger []byte) bool {
	for _, wanted := range s.Loggers {
		if len(logger) == 0 {
			if wanted == rootLogger {
				return true
			}
			continue
		}
		// No conversion to a string, which would be a copy for each record.
		if len(logger) >= len(wanted) && string(logger[:len(wanted)]) == wanted &&
			(len(logger) == len(wanted) || logger[len(wanted)] == '.') {
			return true
		}
	}
	return false
}

// in says whether a is among attrs.
func (a *Attr) in(attrs record.Attrs) bool {
	for got := range attrs.All() {
		switch group := got.Value.Tag() == record.TagGroup; {
		case group && len(got.Key) == 0:
			// A group without a key is no group: its attributes stand in its place.
			if a.in(got.Value.Group()) {
				return true
			}
		case !group && string(got.Key) == a.Key && a.is(got.Value):
			return true
		}
	}
	return false
}

func (a *Attr) is(v record.Value) bool {
	switch v.Tag() {
	case record.TagString, record.TagBytes, record.TagError:
		return string(v.Bytes()) == a.Value
	}
	var text [64]byte // the longest, a time, has 35
	return string(format.AppendValue(text[:0], v)) == a.Value
}
