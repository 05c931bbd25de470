package record

import "log/slog"

// Scope is what all records of a logger have in common, encoded once: attributes,
// and the groups that are open where a record's own attributes go. It never
// changes, so any number of goroutines may use it. Nil and the zero value add
// nothing.
type Scope struct {
	// fields are the attributes so far. The groups that are open reach to its end
	// and, in a record, take in what follows: their lengths are set there.
	fields []byte
	open   []int    // offsets in fields of the open groups, outermost first
	names  []string // of the groups opened since: without an attribute they are left out
	full   bool     // groups nest too deep: what would follow is left out
	err    error    // of an attribute that cannot be encoded: every record's error
}

// WithAttrs returns s with further attributes. They may be of any kind: user code
// is run now, see [Entry.Prepared]. One that is too long becomes an error of every
// record's Size.
func (s *Scope) WithAttrs(attrs []slog.Attr) *Scope {
	t := s.clone()
	attrs = prepared(attrs, t.depth())
	if t.err != nil || t.full || !hasFields(attrs, t.depth()) {
		return t
	}
	size, err := t.size(attrs)
	if t.err = err; err != nil {
		return t
	}
	enc := encoder{dst: make([]byte, size)}
	enc.open(t)
	enc.attrs(attrs, t.depth())
	for i := range t.names {
		t.open = append(t.open[:len(t.open):len(t.open)], t.nameOffset(i))
	}
	t.fields, t.names = enc.dst, nil
	if enc.failed || enc.n != size {
		t.err = ErrSizeChanged
	}
	return t
}

// WithGroup returns s with a group opened, which all further attributes go into.
// An empty name opens none.
func (s *Scope) WithGroup(name string) *Scope {
	t := s.clone()
	switch {
	case name == "" || t.full || t.err != nil:
	case len(name) > MaxKey:
		t.err = errKey
	case t.depth() == MaxDepth:
		t = t.WithAttrs([]slog.Attr{slog.String(name, tooDeep)})
		t.full = true
	default:
		t.names = append(t.names[:len(t.names):len(t.names)], name)
	}
	return t
}

func (s *Scope) clone() *Scope {
	if s == nil {
		return new(Scope)
	}
	t := *s
	return &t
}

// depth is the number of groups that are open, empty ones included.
func (s *Scope) depth() int {
	if s == nil {
		return 0
	}
	return len(s.open) + len(s.names)
}

// nameOffset is where in a record's attributes the group names[i] begins.
func (s *Scope) nameOffset(i int) int {
	n := len(s.fields)
	for _, name := range s.names[:i] {
		n += fieldHeaderSize + len(name)
	}
	return n
}

// size is the length of s and of attrs in it.
func (s *Scope) size(attrs []slog.Attr) (int, error) {
	if s == nil {
		return attrsSize(attrs, 0)
	}
	if s.err != nil || s.full {
		return len(s.fields), s.err
	}
	size, err := attrsSize(attrs, s.depth())
	if size == 0 {
		return len(s.fields), err
	}
	return s.nameOffset(len(s.names)) + size, err
}

// open writes the attributes of s and begins its groups.
func (enc *encoder) open(s *Scope) {
	enc.raw(s.fields)
	for _, name := range s.names {
		enc.field(TagGroup, name, 0)
	}
}

// scope writes s and attrs in it.
func (enc *encoder) scope(s *Scope, attrs []slog.Attr) {
	if s.err != nil {
		enc.failed = true
		return
	}
	if s.full || !hasFields(attrs, s.depth()) {
		start := enc.n
		enc.raw(s.fields)
		enc.end(start, s.open)
		return
	}
	start := enc.n
	enc.open(s)
	enc.attrs(attrs, s.depth())
	enc.end(start, s.open)
	for i := range s.names {
		enc.endGroup(start + s.nameOffset(i))
	}
}

// end ends the groups that begin at these offsets from start.
func (enc *encoder) end(start int, groups []int) {
	for _, at := range groups {
		enc.endGroup(start + at)
	}
}
