package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What a file may have at most. A parser for YAML spends the square of the lines in some
// places and of the depth in others, and on very deep ones the whole stack; no file that
// somebody means comes near.
const (
	maxBytes  = 1 << 20
	maxLines  = 10_000
	maxDepth  = 20  // of brackets
	maxIndent = 100 // columns before a list's dash
)

// parse returns the one document of text, or nil and says what is wrong.
func (m *mistakes) parse(text []byte) ast.Node {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // what some editors begin UTF-8 with
	switch {
	case len(text) > maxBytes:
		m.add(position{}, "it has more than 1 MiB: is this a configuration file?")
	case bytes.Count(text, []byte("\n")) > maxLines:
		m.add(position{}, fmt.Sprintf("it has more than %d lines: is this a configuration file?", maxLines))
	default:
		m.checkCharacters(text)
	}
	if len(m.found) > 0 {
		return nil
	}
	// In quotes the parser takes \r\n for two lines.
	if file := m.parseYAML(strings.ReplaceAll(string(text), "\r\n", "\n")); file != nil {
		return m.document(file.Docs)
	}
	return nil
}

// checkCharacters says where text has what no YAML has, and tabs for indentation, for
// which parsers have no good words.
func (m *mistakes) checkCharacters(text []byte) {
	at, indenting := position{1, 1}, true
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		behind := text[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			m.add(at, fmt.Sprintf("not UTF-8: byte 0x%02x", text[0]))
			return // all that follows may be in some other encoding
		case r == '\t' && indenting:
			m.add(at, "a tab: YAML is indented with blanks")
			indenting = false // one for each line
		case r == '\n', r == '\t', r == '\r' && bytes.HasPrefix(behind, []byte("\n")):
		case unicode.IsControl(r):
			m.add(at, fmt.Sprintf("control character %U: YAML has none", r))
		}
		indenting = r == '\n' || indenting && r == ' '
		if at.column++; r == '\n' {
			at = position{at.line + 1, 1}
		}
		text = behind
	}
}

// parseYAML parses text, or says what is wrong and returns nil.
func (m *mistakes) parseYAML(text string) (file *ast.File) {
	// A parser of other people, for text of other people. What is wrong with either must
	// not end a drain that is told to look at its file again.
	defer func() {
		if v := recover(); v != nil {
			m.add(position{}, fmt.Sprintf("not valid YAML: the parser fails: %v", v))
			file = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	if t := tooDeep(tokens); t != nil {
		m.add(positionOf(t), "nested too deeply")
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // those are mistakes like others
	if err != nil {
		at, msg := position{}, err.Error()
		var where yaml.Error
		if errors.As(err, &where) {
			at, msg = positionOf(where.GetToken()), where.GetMessage()
		}
		m.add(at, "not valid YAML: "+strings.Join(strings.Fields(msg), " ")+quotesHint(text, at))
		return nil
	}
	return file
}

// tooDeep returns the token at which a file is nested too deeply, or nil.
func tooDeep(tokens token.Tokens) *token.Token {
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		block := t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		if depth > maxDepth || block && t.Position.Column > maxIndent {
			return t
		}
	}
	return nil
}

// document returns what the one document of a file is, or nil and says what is wrong.
func (m *mistakes) document(docs []*ast.DocumentNode) ast.Node {
	for i, doc := range docs {
		at := positionOf(doc.Start)
		if doc.Body != nil && doc.Start == nil {
			at = nodePosition(doc.Body)
		}
		if d, ok := doc.Body.(*ast.DirectiveNode); ok {
			m.add(nodePosition(d), "a directive of YAML: leave it out")
			return nil
		}
		if i > 0 {
			m.add(at, "a second document: a file has one")
			return nil
		}
	}
	if len(docs) == 0 || docs[0].Body == nil {
		m.add(position{}, `it is empty: want at least outputs; "ringlog config example" prints a file to begin with`)
		return nil
	}
	return docs[0].Body
}

func positionOf(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}

// nodePosition is where n begins.
func nodePosition(n ast.Node) position {
	if m, ok := n.(ast.MapNode); ok {
		// The parser's own token is the first colon where there are no braces.
		if it := m.MapRange(); n.GetToken().Type == token.MappingValueType && it.Next() {
			return positionOf(it.Key().GetToken())
		}
	}
	return positionOf(n.GetToken())
}

// quotesHint is what to do where the parser stumbles over the characters that layouts
// and paths with fields begin with, or nothing.
func quotesHint(text string, at position) string {
	lines := strings.Split(text, "\n")
	if at.line < 1 || at.line > len(lines) {
		return ""
	}
	line := []rune(lines[at.line-1])
	if at.column < 1 || at.column > len(line) {
		return ""
	}
	here, before, indented := line[at.column-1], ' ', strings.TrimSpace(string(line[:at.column-1])) == ""
	if at.column > 1 {
		before = line[at.column-2]
	}
	if !indented && (strings.ContainsRune("%@`*-", here) || here == '{' && before != ' ' || strings.ContainsRune("]}", before)) {
		return `; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`
	}
	return ""
}
