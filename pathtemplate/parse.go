package pathtemplate

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is the longest name that leaves room for what logfile puts behind it,
	// which is that of an archive: .20261123T184701.123456789Z.zst.
	maxName = 255 - len(instantForm) - len(".zst")
	// disarmed is how much longer disarm makes a name at most: one ASCII character and
	// one of two bytes, each byte encoded.
	disarmed = 3 * 2
	// minValue is the least room for a value that is worth to be had.
	minValue = hashSize + 8
	// maxPath is the same for the system's limit of whole paths, less the zero byte.
	maxPath = 4095 - len(instantForm) - len(".zst")
)

// want ends each error.
const want = "; want a path with fields in braces, such as logs/{study}/{trial}.log, and {{ or }} for a brace"

// parser is at a place in a template.
type parser struct {
	text string
	at   int // of what is wrong, in bytes, if something is

	t       Template
	name    name            // the one at hand
	dir     strings.Builder // what comes before it
	literal strings.Builder // what follows its last field
	length  int             // of the longest path, up to the name at hand
}

// Parse reads a template. The error names it and the place in it, and says what is
// accepted. It refuses what could lead out of the folder before the first field, or have
// two meanings:
//
//   - a brace without its partner; a field without a name, or whose name has a brace, a
//     slash, a colon, a control character, or a blank at either end
//   - .. behind a field
//   - a name with fields that begins with a dot, or ends as those of rotated files do:
//     such names are for package logfile
//   - two fields without a character between them that is no letter or digit
//   - more fields or text in one name than there is room for, or in all of the path
//   - a path with fields that ends with a slash, and a NUL character
func Parse(text string) (Template, error) {
	p := parser{text: text}
	if err := p.parse(); err != nil {
		place := utf8.RuneCountInString(text[:p.at]) + 1
		return Template{}, fmt.Errorf("path %q, character %d: %w%s", text, place, err, want)
	}
	return p.t, nil
}

func (p *parser) parse() error {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		size := 1
		switch {
		case rest[0] == 0:
			return errors.New("no path has a NUL character")
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			p.literal.WriteByte(rest[0])
			size = 2
		case rest[0] == '}':
			return errors.New("} without {")
		case rest[0] == '{':
			field, err := fieldName(rest)
			if err == nil {
				err = p.add(field)
			}
			if err != nil {
				return err
			}
			size = len("{") + len(field) + len("}")
		case rest[0] == '/':
			if err := p.endName(); err != nil {
				return err
			}
			p.literal.WriteByte('/')
			p.dir.WriteString(p.literal.String())
			p.literal.Reset()
		default:
			p.literal.WriteByte(rest[0])
		}
		p.at += size
	}
	if len(p.t.names) > 0 && (strings.HasSuffix(p.text, "/") || strings.HasSuffix(p.text, "/.")) {
		return errors.New("a folder, without the name of a file in it")
	}
	if err := p.endName(); err != nil {
		return err
	}
	p.t.rest = p.dir.String() + p.literal.String()
	if p.length += len(p.t.rest); len(p.t.names) > 0 && p.length > maxPath {
		return fmt.Errorf("paths of up to %d bytes, and there is room for %d", p.length, maxPath)
	}
	return nil
}

// fieldName returns the name of the field that rest begins with.
func fieldName(rest string) (string, error) {
	field, _, ok := strings.Cut(rest[1:], "}")
	if !ok || strings.Contains(field, "{") {
		return "", errors.New("{ without }")
	}
	bad := func(r rune) bool { return r == '/' || r == ':' || r == utf8.RuneError || unicode.IsControl(r) }
	switch {
	case field == "":
		return "", errors.New("a field without a name")
	case strings.TrimSpace(field) != field || strings.ContainsFunc(field, bad):
		return "", fmt.Errorf("a field named %q: a field is a name alone, without blanks around it, and has no /, : or control character", field)
	}
	return field, nil
}

// add adds a field to the name at hand.
func (p *parser) add(fieldName string) error {
	piece := piece{text: p.literal.String(), field: field{fieldName, kinds[fieldName]}}
	p.literal.Reset()
	if n := len(p.name.pieces); n > 0 {
		if piece.separator = separatorIn(piece.text); piece.separator == 0 {
			return fmt.Errorf("nothing that tells {%s} and {%s} apart: put a character between them that is no letter or digit, such as -, or a slash",
				p.name.pieces[n-1].field.name, fieldName)
		}
	}
	p.name.pieces = append(p.name.pieces, piece)
	return nil
}

// separatorIn returns the last rune of text that can tell two values apart: one that is
// not in the escape of any. 0: there is none.
func separatorIn(text string) rune {
	i := strings.LastIndexFunc(text, func(r rune) bool {
		return r != '%' && r != '~' && r != utf8.RuneError && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if i < 0 {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return r
}

// endName ends the name at hand. One with fields goes into the template.
func (p *parser) endName() error {
	n := &p.name
	if len(n.pieces) == 0 {
		if len(p.t.names) > 0 && p.literal.String() == ".." {
			p.at -= len("..")
			return errors.New(".. behind a field, where it leads depends on the record")
		}
		return nil
	}
	n.end = p.literal.String()
	fixed := len(n.end) + disarmed
	for _, piece := range n.pieces {
		fixed += len(piece.text)
	}
	n.limit = min(maxValue, (maxName-fixed)/len(n.pieces))
	switch {
	case n.limit < minValue:
		return fmt.Errorf("a name with too many fields, or too much around them: of %d bytes %d are left for the values of %d fields, each of which needs %d",
			maxName, max(0, maxName-fixed), len(n.pieces), minValue)
	case strings.HasPrefix(n.pieces[0].text, "."):
		return errors.New("a name with fields that begins with a dot, as those of ringlog's temporary files do")
	case likeRotated(n.end):
		return errors.New("a name that ends as those of rotated files do")
	}
	n.dir = p.dir.String()
	p.length += len(n.dir) + fixed + len(n.pieces)*n.limit
	p.t.names = append(p.t.names, *n)
	p.name = name{}
	p.dir.Reset()
	p.literal.Reset()
	return nil
}
