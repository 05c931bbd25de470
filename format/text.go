package format

import (
	"strconv"
	"time"

	"github.com/ringlog/ringlog/record"
)

// DefaultLayout is that of text lines if no other is asked for.
const DefaultLayout = `%(asctime)s - %(name)s - %(levelname)s - %(message)s %(attrs)s`

// Text writes lines for people, in the form that Python's logging has by default:
//
//	2026-11-23 18:47:01,123 - trades - INFO - message key=value
//
// Further lines of a message, and tracebacks and stacks, follow indented by four
// spaces; no other line starts with a space. Where a record comes from (source, process,
// thread) is for [JSON] to say: Python's records all carry it.
//
// [Options] may give another layout, which is written as for Python's logging, for
// example
//
//	%(asctime)s %(levelname)-8s [%(study)s/%(trial)s] %(message)s %(attrs)s
//
// A line then shows the fields that are named, and nothing else: without %(attrs)s no
// attributes. Fields are those that Python has
//
//	asctime    time, as the time format says
//	created    time in seconds since 1970
//	msecs      its milliseconds
//	name       name of the logger, root for the root logger
//	levelname  name of the level
//	levelno    its number in Python: 10 for DEBUG, 20, 30, 40, 50
//	message    message
//	pathname   source file, where it is known, like the next four
//	filename   its name without folders
//	module     its name without folders and ending
//	lineno     line in it, 0 if unknown
//	funcName   function
//	process    process id
//	processName, threadName, where they were logged
//
// and ours:
//
//	worker     label of the worker
//	pid        process id
//	seq        number of the record among its owner's
//	id         "<ring, 32 hex digits>-<lane>-<position>", unique
//	event      what a line that ringlog itself writes reports: lost, torn, …
//	attrs      all attributes, as key=value; a space before it is left out with them
//
// Any other name is that of an attribute outside of all groups, the first of that name;
// it is shown empty where there is none. Behind the name come, as in Python, flags (-
// puts text to the left, 0 fills numbers with zeros, + shows signs), a width, which
// counts characters, a precision, which cuts text, and s, or for numbers d, f, e or g.
// An attribute that is not a number is shown as with s. %% is a percent sign.
//
// No record can make a line that looks like another's: its text is escaped, a line that
// would start with a space starts with \x20, and a logger that took the name of
// ringlog's own lines ([OwnLogger]) is shown as \x72inglog.
type Text struct {
	clock clock
	steps []step // of the layout; nil: the default, which needs none
	begun [16]beginning
	path  path
	word  []byte // scratch for a field's text
}

// NewText returns a text formatter of the default layout that shows times in loc, nil
// for local time.
func NewText(loc *time.Location) *Text {
	t, err := newText(Options{Location: loc})
	if err != nil {
		panic(err) // the defaults are constants, which the tests parse
	}
	return t
}

func newText(o Options) (*Text, error) {
	t := &Text{clock: clock{loc: o.Location}}
	if t.clock.loc == nil {
		t.clock.loc = time.Local
	}
	if o.TimeFormat == "" {
		o.TimeFormat = defaultTimeFormat
	}
	var err error
	if t.clock.parts, err = parseTimeFormat(o.TimeFormat); err != nil {
		return nil, err
	}
	if o.Layout == "" {
		o.Layout = DefaultLayout
	}
	if t.steps, err = parseLayout(o.Layout, o.TimeFormat); err != nil {
		return nil, err
	}
	if o.Layout == DefaultLayout && o.TimeFormat == defaultTimeFormat {
		t.steps = nil
	}
	return t, nil
}

// Append implements [Formatter].
func (t *Text) Append(dst []byte, l *Line) []byte {
	if t.steps != nil {
		dst = t.appendLayout(dst, l)
	} else { // what the steps of DefaultLayout would append, in less time
		dst = t.appendBeginning(dst, l)
		dst = appendLines(dst, l.Record.Message())
		dst = t.appendAttrs(dst, l.Record.Attrs())
	}
	for _, block := range [...][]byte{l.Record.Traceback(), l.Record.Stack()} {
		if len(block) > 0 {
			dst = appendLines(append(dst, indent...), block)
		}
	}
	return append(dst, '\n')
}

// beginning is how the lines of a logger and a level begin that were logged in the same
// millisecond, as many lines of a busy log are.
type beginning struct {
	millis int64 // since 1970; 0: there is none
	level  record.Level
	logger []byte
	text   []byte
}

// appendBeginning appends what a line of the default layout has before its message.
func (t *Text) appendBeginning(dst []byte, l *Line) []byte {
	ns, logger := l.time(), l.Record.Logger()
	millis := ns / 1e6
	_, own := l.Record.Level()
	if own || l.Event != "" || len(logger) == 0 || millis <= 0 {
		return t.beginLine(dst, l, ns)
	}
	b := &t.begun[(len(logger)+int(logger[0])+int(logger[len(logger)-1])+int(l.Level))&(len(t.begun)-1)]
	if millis == b.millis && l.Level == b.level && string(logger) == string(b.logger) {
		return append(dst, b.text...)
	}
	start := len(dst)
	dst = t.beginLine(dst, l, ns)
	b.millis, b.level, b.logger = millis, l.Level, append(b.logger[:0], logger...)
	b.text = append(b.text[:0], dst[start:]...)
	return dst
}

func (t *Text) beginLine(dst []byte, l *Line, ns int64) []byte {
	dst = append(t.clock.append(dst, ns), " - "...)
	dst = append(l.appendLogger(dst, noCut), " - "...)
	return append(l.appendLevel(dst, appendLine), " - "...)
}

// appendAttrs appends attrs, each with a space before it.
func (t *Text) appendAttrs(dst []byte, attrs record.Attrs) []byte {
	var a record.Attr
	for attrs.Next(&a) {
		if a.Value.Tag() == record.TagGroup {
			outer := t.path.enter(a.Key)
			dst = t.appendAttrs(dst, a.Value.Group())
			t.path.leave(outer)
			continue
		}
		dst = appendKey(dst, t.path.key(a.Key))
		switch a.Value.Tag() { // the most frequent first, without a further call
		case record.TagString:
			dst = appendWord(dst, a.Value.Bytes())
		case record.TagInt:
			dst = appendInt(dst, a.Value.Int64())
		case record.TagFloat:
			dst = appendFloat(dst, a.Value.Float64(), 'g')
		default:
			dst = appendTextValue(dst, a.Value)
		}
	}
	return dst
}

func appendTextValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBytes:
		return appendQuoted(dst, v.Bytes())
	case record.TagString, record.TagError:
		return appendWord(dst, v.Bytes())
	default:
		return AppendValue(dst, v)
	}
}

// AppendValue appends v in the form in which Text shows it, but strings, errors and
// bytes as they are, without quotes and escapes. Of a group nothing is appended.
func AppendValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBool:
		return strconv.AppendBool(dst, v.Bool())
	case record.TagInt:
		return appendInt(dst, v.Int64())
	case record.TagUint:
		return appendUint(dst, v.Uint64())
	case record.TagFloat:
		return appendFloat(dst, v.Float64(), 'g')
	case record.TagTime:
		t, offset := v.Time()
		return appendTime(dst, t, offset)
	case record.TagDuration:
		return append(dst, v.Duration().String()...)
	default:
		return append(dst, v.Bytes()...)
	}
}
