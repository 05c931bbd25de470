package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills what a file says into places that the lists of keys name. It goes on
// after a mistake, so that all of them are found at once.
type decoder struct {
	mistakes
	look    bool                // for what the file names, too
	anchors map[string]ast.Node // values that aliases may name, as far as they have been met
	values  int                 // that have been looked at
}

const (
	// maxValues bounds what aliases can multiply. Without them, no file of maxBytes has as
	// many values.
	maxValues = maxBytes
	// maxText bounds the text of a value, which messages repeat.
	maxText = 4096
)

// value is a value of the file. Its node is neither an anchor nor an alias.
type value struct {
	node ast.Node
	name string // for messages: the key that it has, or "output 2"
}

func (v value) at() position { return nodePosition(v.node) }

// key is one that a mapping may have, and what is done with its value.
type key struct {
	name string
	read func(value)
}

// wrong says that v is not what is wanted.
func (d *decoder) wrong(v value, format string, args ...any) {
	d.add(v.at(), v.name+": "+fmt.Sprintf(format, args...))
}

// packages whose name at the start of an error says nothing to users.
var packages = regexp.MustCompile(`(?m)^(format|logfile|pathtemplate|reader|record|schedule): `)

// unprefixed is err's text without the names of packages.
func unprefixed(err error) string { return packages.ReplaceAllString(err.Error(), "") }

// refuse says why v was not accepted, with the name of its key where err does not begin
// with it.
func (d *decoder) refuse(v value, err error) {
	for line := range strings.SplitSeq(unprefixed(err), "\n") {
		if !strings.HasPrefix(line, v.name+" ") {
			line = v.name + ": " + line
		}
		d.add(v.at(), line)
	}
}

// resolve returns the value that n is, without anchors and aliases, or nil and says why
// there is none.
func (d *decoder) resolve(n ast.Node) ast.Node {
	if d.values++; d.values > maxValues || len(d.found) == maxMistakes {
		if d.values == maxValues+1 {
			d.add(nodePosition(n), "aliases make the file too large")
		}
		return nil
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		// Noted when it is known what it is, so that no alias stands for itself.
		v := d.resolve(n.Value)
		if v != nil {
			d.anchors[n.Name.GetToken().Value] = v
		}
		return v
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v, ok := d.anchors[name]
		if !ok {
			d.add(nodePosition(n), fmt.Sprintf("no anchor %q stands before this alias; a value that begins with * is to be quoted", cut(name)))
			return nil
		}
		return v
	case *ast.TagNode:
		d.add(nodePosition(n), fmt.Sprintf("a tag, %q: leave it out; a value that begins with ! is to be quoted", cut(n.Start.Value)))
		return nil
	}
	return n
}

// textOf returns the text of a scalar as it is written, so that 017, 1.50 and yes are just
// that. ok is false if n is none, or is nothing.
func textOf(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// text returns the text of v, or says that it has none.
func (d *decoder) text(v value) (string, bool) {
	text, ok := textOf(v.node)
	if !ok {
		d.wrong(v, "want text or a number, not %s", describe(v.node))
		return "", false
	}
	if len(text) > maxText {
		d.wrong(v, "longer than %d bytes", maxText)
		return "", false
	}
	return text, true
}

// scalar has a key's text parsed into dst.
func scalar[T any](d *decoder, dst *T, parse func(string) (T, error)) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		if text == "" {
			d.wrong(v, "it is empty: give it a value, or leave it out")
			return
		}
		parsed, err := parse(text)
		if err != nil {
			d.refuse(v, err)
			return
		}
		*dst = parsed
	}
}

// pairs calls read for each key of the mapping v, with where it stands, unless it is
// there twice or without a value. It returns where each of them is.
func (d *decoder) pairs(v value, want string, read func(name string, at position, v value)) map[string]position {
	m, ok := v.node.(ast.MapNode)
	if !ok || !m.MapRange().Next() {
		d.wrong(v, "want %s, not %s", want, describe(v.node))
		return nil
	}
	at := map[string]position{}
	for it := m.MapRange(); it.Next(); {
		here := nodePosition(it.Key())
		name, ok := d.keyText(it.Key())
		if !ok {
			continue
		}
		if first, twice := at[name]; twice {
			d.add(here, fmt.Sprintf("key %q is in line %d already", cut(name), first.line))
			continue
		}
		at[name] = here
		n := d.resolve(it.Value())
		switch {
		case n == nil:
		case n.Type() == ast.NullType:
			d.add(here, fmt.Sprintf("%q has no value: give it one, or leave it out", cut(name)))
		default:
			read(name, here, value{n, name})
		}
	}
	return at
}

// keyText returns the text of a key.
func (d *decoder) keyText(n ast.MapKeyNode) (string, bool) {
	t := n.GetToken()
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode, *ast.NullNode:
		return t.Value, true
	case *ast.MergeKeyNode:
		d.add(nodePosition(n), `a merge key, <<: say in "defaults" what outputs have in common`)
	default:
		d.add(nodePosition(n), fmt.Sprintf("want a key of plain text, not %s", describe(n)))
	}
	return "", false
}

// mapping reads a mapping that has some of keys, and all of needed. It returns where each
// of them is. What else than a mapping could stand there is for its message.
func (d *decoder) mapping(v value, elseOr string, keys []key, needed ...string) map[string]position {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	at := d.pairs(v, elseOr+"keys ("+strings.Join(names, ", ")+")", func(name string, at position, of value) {
		if i := slices.Index(names, name); i >= 0 {
			keys[i].read(of)
			return
		}
		msg := fmt.Sprintf("unknown key %q in %s", cut(name), v.name)
		if near, ok := nearest(name, names); ok {
			msg += fmt.Sprintf(": did you mean %q?", near)
		} else {
			msg += ": there are " + strings.Join(names, ", ")
		}
		d.add(at, msg)
	})
	for _, name := range needed {
		if _, ok := at[name]; !ok && len(at) > 0 {
			d.wrong(v, "it has no %s", name)
		}
	}
	return at
}

// list calls read for each value of the list v, with its number, until it returns false.
func (d *decoder) list(v value, want string, read func(i int, v value) bool) {
	seq, ok := v.node.(*ast.SequenceNode)
	if !ok || len(seq.Values) == 0 {
		d.wrong(v, "want %s, not %s", want, describe(v.node))
		return
	}
	for i, n := range seq.Values {
		if n = d.resolve(n); n != nil && !read(i, value{n, v.name}) {
			return
		}
	}
}

// texts has a list of texts read into dst, each of which check accepts.
func (d *decoder) texts(dst *[]string, want string, check func(i int, text string) error) func(value) {
	return func(v value) {
		d.list(v, want, func(i int, v value) bool {
			text, ok := d.text(v)
			if !ok {
				return true
			}
			if err := check(i, text); err != nil {
				d.refuse(v, err)
			}
			*dst = append(*dst, text)
			return true
		})
	}
}

// describe says what n is, for messages.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		if len(n.Values) == 0 {
			return "an empty list"
		}
		return "a list"
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.AliasNode:
		return "an alias"
	case *ast.AnchorNode:
		return "an anchor"
	case ast.MapNode:
		if !n.MapRange().Next() {
			return "an empty mapping"
		}
		return "a mapping"
	case *ast.MappingKeyNode:
		return "one that begins with ?"
	default:
		return strconv.Quote(cut(n.GetToken().Value))
	}
}

// cut shortens what a message repeats.
func cut(text string) string {
	const most = 60
	for i := range text {
		if i > most {
			return text[:i] + "…"
		}
	}
	return text
}
