package format

import "unicode/utf8"

// path makes the dotted keys of attributes in groups. The zero value stands outside of
// all groups.
type path struct {
	group []byte // prefix of the keys in the group being written
	word  []byte // scratch for a key
}

// maxGroup bounds the names of groups before a key, in bytes. They are repeated for
// each of a group's attributes: without a bound a long name before many small
// attributes would make a line thousands of times longer than its record.
const maxGroup = 128

// enter adds a group's name to the prefix of keys, which is cut where it grows too
// long, and returns what leave needs. A group without a name is inlined.
func (p *path) enter(name []byte) (outer int) {
	outer = len(p.group)
	if len(name) == 0 {
		return outer
	}
	p.group = append(append(p.group, name...), '.')
	if len(p.group) <= maxGroup {
		return outer
	}
	cut := maxGroup
	for cut > maxGroup-utf8.UTFMax && !utf8.RuneStart(p.group[cut]) {
		cut--
	}
	p.group = append(p.group[:cut], "..."...)
	return outer
}

func (p *path) leave(outer int) { p.group = p.group[:outer] }

// key returns the key with its groups before it. It is valid until the next call.
func (p *path) key(key []byte) []byte {
	if len(p.group) == 0 {
		return key
	}
	p.word = append(append(p.word[:0], p.group...), key...)
	return p.word
}
