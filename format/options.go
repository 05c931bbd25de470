package format

import (
	"cmp"
	"fmt"
	"time"
)

// Options say how lines look. The zero value is text as Python's logging writes it.
type Options struct {
	// Name of the format: text, logfmt, json or raw; empty: text.
	Name string
	// Location is the zone of the times in text lines; nil: local time. Other formats
	// show UTC, and pay no heed to it.
	Location *time.Location
	// Layout of text lines; empty: DefaultLayout. See [Text].
	Layout string
	// TimeFormat is how text lines show a record's time, in the fields of strftime:
	// %Y %m %d %H %M %S and so on, with %L, %f or %N for the milli-, micro- or
	// nanoseconds, and %z or %:z for the zone. Empty: as Python has it,
	// %Y-%m-%d %H:%M:%S,%L. RFC 3339, and with it ISO 8601, is %Y-%m-%dT%H:%M:%S.%f%:z.
	TimeFormat string
	// Fields are the names of the members of JSON lines.
	Fields Fields
}

// New returns the formatter that o describes:
//
//   - text, for people, by default like Python's logging: see [Text]
//   - logfmt, key=value for programs and people: see [Logfmt]
//   - json, an object a line, with names of ringlog's, of the Elastic Common Schema, of
//     OpenTelemetry, or one's own: see [JSON] and [Fields]
//   - raw, messages and nothing else: see [Raw]
//
// All of o is checked here. An error names the value that cannot be had, and what can;
// one is an option that is not of the format chosen, too, such as a layout for json.
func New(o Options) (Formatter, error) {
	switch o.Name {
	case "", "text", "logfmt", "json", "raw":
	default:
		return nil, fmt.Errorf("format: unknown format %q: want text, logfmt, json or raw", o.Name)
	}
	name := cmp.Or(o.Name, "text")
	switch {
	case name != "text" && o.Layout != "":
		return nil, fmt.Errorf("format: the layout %q is for text, not for %s", o.Layout, name)
	case name != "text" && o.TimeFormat != "":
		return nil, fmt.Errorf("format: the time format %q is for text, not for %s", o.TimeFormat, name)
	case name != "json" && o.Fields.Set != "":
		return nil, fmt.Errorf("format: the set of names %q is for json, not for %s", o.Fields.Set, name)
	case name != "json" && len(o.Fields.Names) > 0:
		return nil, fmt.Errorf("format: names of members are for json, not for %s", name)
	}
	switch name {
	case "logfmt":
		return NewLogfmt(), nil
	case "json":
		return newJSON(o.Fields)
	case "raw":
		return Raw{}, nil
	}
	t, err := newText(o)
	if err != nil {
		return nil, err // and not a formatter that holds nil
	}
	return t, nil
}
