package format

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ncruces/go-strftime"
)

// step is a piece of a layout: some text, and the field behind it.
type step struct {
	literal []byte
	field   field
	key     string // of an attribute
	verb    byte   // s, d, f, e or g
	left    bool   // the flags -, 0 and +
	zeros   bool
	plus    bool
	width   int  // in runes
	prec    int  // noCut: none was given
	cuts    bool // prec is for what is shown; text is cut before it is escaped
	spaced  bool // of attrs: each has a space before it
}

// noCut is a precision that cuts nothing.
const noCut = int(^uint(0) >> 1)

// maxNumber bounds widths and precisions: they are sizes that a line gets without its
// record having them.
const maxNumber = 1000

// layoutParser reads a layout. Its methods return the error that a user sees.
type layoutParser struct {
	layout string
	rest   string
}

// parseLayout compiles a layout in the style of Python's logging, for times in timeFormat.
func parseLayout(layout, timeFormat string) ([]step, error) {
	p := &layoutParser{layout: layout, rest: layout}
	if !showable(layout) {
		return nil, p.refuse("has characters that cannot be shown, such as a newline or a tab")
	}
	var steps []step
	for {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
		if s.field == fieldNone {
			break
		}
	}
	if len(steps) == 1 {
		return nil, p.refuse("has no field%s", styleHint(layout))
	}
	if startsWithSpace(&steps[0], timeFormat) {
		return nil, p.refuse("would begin lines with spaces, which tell the further lines of a record: " +
			"begin with something else, or put the first field to the left, as in %%(levelname)-8s")
	}
	for i := range steps {
		steps[i].takeSpace()
	}
	return steps, nil
}

// takeSpace has the attributes bring the space before them along: there is none then
// where there are no attributes.
func (s *step) takeSpace() {
	n := len(s.literal)
	if s.field == fieldAttrs && s.width == 0 && n > 0 && s.literal[n-1] == ' ' {
		s.literal, s.spaced = s.literal[:n-1], true
	}
}

// startsWithSpace reports whether lines that start with s start with a space, whatever
// is logged.
func startsWithSpace(s *step, timeFormat string) bool {
	switch {
	case len(s.literal) > 0:
		return s.literal[0] == ' '
	case s.width > 0 && !s.left && !s.zeros:
		return true
	case s.field == fieldTime:
		// Hours and days of one digit may have a space in the place of the other.
		return strings.HasPrefix(strftime.Format(timeFormat, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), " ")
	}
	return false
}

func (p *layoutParser) refuse(why string, args ...any) error {
	return fmt.Errorf("format: layout %q %s", p.layout, fmt.Sprintf(why, args...))
}

// styleHint says what to write instead of the other styles of Python's logging.
func styleHint(layout string) string {
	const hint = `: the styles { and $ are not known here, write %(message)s`
	if strings.ContainsAny(layout, "{$") {
		return hint
	}
	return `, such as %(message)s`
}

// step reads text and the field behind it, which is none at the end of the layout.
func (p *layoutParser) step() (step, error) {
	var s step
	for {
		at := strings.IndexByte(p.rest, '%')
		if at < 0 {
			s.literal = append(s.literal, p.rest...)
			p.rest = ""
			return s, nil
		}
		s.literal = append(s.literal, p.rest[:at]...)
		p.rest = p.rest[at+1:]
		if strings.HasPrefix(p.rest, "%") {
			s.literal = append(s.literal, '%')
			p.rest = p.rest[1:]
			continue
		}
		return s, p.field(&s)
	}
}

// field reads a field behind its percent sign.
func (p *layoutParser) field(s *step) error {
	behind := len(p.layout) - len(p.rest)
	name, rest, closed := strings.Cut(strings.TrimPrefix(p.rest, "("), ")")
	if !closed || !strings.HasPrefix(p.rest, "(") || name == "" {
		return p.refuse("has a %% that begins no field at its byte %d: want %%(name)s, or %%%% for a percent sign", behind)
	}
	p.rest = rest
	known, ok := fields[name]
	if !ok {
		known = fieldSpec{fieldAttr, kindAny, ""}
		s.key = name
	}
	if known.missing != "" {
		return p.refuse("has the field %%(%s)s, which records do not have: %s", name, known.missing)
	}
	s.field, s.prec = known.field, noCut
	p.flags(s)
	var err error
	if s.width, _, err = p.number(name, "width"); err != nil {
		return err
	}
	if strings.HasPrefix(p.rest, ".") {
		p.rest = p.rest[1:]
		var given bool
		if s.prec, given, err = p.number(name, "precision"); err != nil {
			return err
		}
		if !given {
			return p.refuse("has no number behind the point in the field %%(%s)s", name)
		}
	}
	return p.verb(s, name, known.kind)
}

func (p *layoutParser) flags(s *step) {
	for ; p.rest != ""; p.rest = p.rest[1:] {
		switch p.rest[0] {
		case '-':
			s.left = true
		case '0':
			s.zeros = true
		case '+':
			s.plus = true
		default:
			return
		}
	}
}

func (p *layoutParser) number(name, what string) (n int, given bool, err error) {
	for ; p.rest != "" && '0' <= p.rest[0] && p.rest[0] <= '9'; p.rest = p.rest[1:] {
		given = true
		if n = n*10 + int(p.rest[0]-'0'); n > maxNumber {
			return 0, false, p.refuse("has a %s over %d in the field %%(%s)s", what, maxNumber, name)
		}
	}
	return n, given, nil
}

// verb reads the letter that says what a field is shown as.
func (p *layoutParser) verb(s *step, name string, kind kind) error {
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	switch r {
	case 'i':
		r = 'd' // the same in Python
		fallthrough
	case 'd', 'f', 'e', 'g':
		if kind == kindText {
			return p.refuse("shows %s as a number: it is text, want %%(%[1]s)s", name)
		}
	case 's':
		// 0 and + are for numbers; Python pays no heed to them here either.
		s.zeros, s.plus = false, false
		s.cuts = s.prec != noCut && (kind == kindNumber || s.field == fieldTime || s.field == fieldAttrs)
	case utf8.RuneError:
		return p.refuse("ends within the field %%(%s)s: want s, d, f, e or g behind it", name)
	default:
		return p.refuse("has %q behind the field %%(%s): want s, d, f, e or g, and before it no more than flags (-, 0, +), a width, and a point and a precision", r, name)
	}
	s.verb = byte(r)
	return nil
}
