package main

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// line is a line of a JSON output. Its slices are of the text that was parsed.
type line struct {
	level, logger, msg, worker, id, event []byte
	pid, seq                              uint64
	attrs                                 []byte // the object's text, empty if there is none
}

// parse reads a line, less its newline, in the form that workers' records and markers
// have here and no other: what is not exactly that is damaged.
func (l *line) parse(text []byte) bool {
	s := scanner{rest: text}
	s.literal(`{"time":"`)
	when := s.until('"')
	s.literal(`,"level":"`)
	l.level = s.until('"')
	s.literal(`,"logger":"`)
	l.logger = s.until('"')
	s.literal(`,"msg":"`)
	l.msg = s.until('"')
	s.literal(`,"worker":"`)
	l.worker = s.until('"')
	s.literal(`,"pid":`)
	l.pid = s.number()
	s.literal(`,"seq":`)
	l.seq = s.number()
	s.literal(`,"id":"`)
	l.id = s.until('"')
	l.event, l.attrs = nil, nil
	if s.optional(`,"event":"`) {
		l.event = s.until('"')
	}
	if s.optional(`,"attrs":`) {
		l.attrs = s.object()
	}
	s.literal(`}`)
	return !s.bad && len(s.rest) == 0 && len(when) == len("2026-01-02T15:04:05.000000000Z")
}

// marked are the attributes of a marker.
type marked struct {
	Event, Worker       string
	Lost, Records, Torn uint64
}

func (l *line) marked() (m marked, ok bool) {
	err := json.Unmarshal(l.attrs, &m)
	return m, err == nil && m.Event == string(l.event) && m.Worker == string(l.worker)
}

// scanner takes a line apart from the left. Once something is not as expected it is
// bad, and nothing more is.
type scanner struct {
	rest []byte
	bad  bool
}

func (s *scanner) optional(text string) bool {
	if s.bad || len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) literal(text string) {
	if !s.optional(text) {
		s.bad = true
	}
}

// until takes what lies before the next c, and c. No text here has escapes.
func (s *scanner) until(c byte) []byte {
	i := bytes.IndexByte(s.rest, c)
	if s.bad || i < 0 {
		s.bad = true
		return nil
	}
	text := s.rest[:i]
	s.rest = s.rest[i+1:]
	if bytes.IndexByte(text, '\\') >= 0 {
		s.bad = true
	}
	return text
}

func (s *scanner) number() uint64 {
	n := 0
	for n < len(s.rest) && s.rest[n] >= '0' && s.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseUint(string(s.rest[:n]), 10, 64)
	if err != nil {
		s.bad = true
	}
	s.rest = s.rest[n:]
	return v
}

// object takes a flat object.
func (s *scanner) object() []byte {
	i := bytes.IndexByte(s.rest, '}')
	if s.bad || i < 0 || s.rest[0] != '{' {
		s.bad = true
		return nil
	}
	text := s.rest[:i+1]
	s.rest = s.rest[i+1:]
	return text
}
