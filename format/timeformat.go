package format

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ncruces/go-strftime"
)

// defaultTimeFormat is how Python's logging shows a time.
const defaultTimeFormat = "%Y-%m-%d %H:%M:%S,%L"

// rfc3339UTC is RFC 3339 in UTC with nine digits of nanoseconds, whose width is always
// the same, so that texts sort as their times do.
const rfc3339UTC = "%Y-%m-%dT%H:%M:%S.%NZ"

// machineClock is for lines that programs read. It writes a time between two texts.
func machineClock(before, behind string) clock {
	parts, err := parseTimeFormat(rfc3339UTC)
	if err != nil {
		panic(err) // a constant, which the tests of its formats parse
	}
	escape := strings.NewReplacer("%", "%%").Replace
	parts[0].format = escape(before) + parts[0].format
	parts[len(parts)-1].format += escape(behind)
	return clock{loc: time.UTC, parts: parts}
}

// parseTimeFormat cuts a format at the fractions of a second, which package strftime
// would make with an allocation, and which change with every line.
func parseTimeFormat(format string) ([]timePart, error) {
	refuse := func(why string, args ...any) ([]timePart, error) {
		return nil, fmt.Errorf("format: time format %q %s: want the fields of strftime, such as %s",
			format, fmt.Sprintf(why, args...), "%Y-%m-%dT%H:%M:%S.%f%:z")
	}
	if !showable(format) {
		return refuse("has characters that cannot be shown")
	}
	var parts []timePart
	start, fields := 0, 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		field := timeField(format[i:])
		if !knownTimeField(field) {
			return refuse("has the unknown field %q", field)
		}
		end := i + len(field)
		if digits := fraction[field]; digits > 0 {
			parts = append(parts, timePart{format: format[start:i], digits: digits})
			start = end
		}
		if field != "%%" {
			fields++
		}
		i = end - 1
	}
	if fields == 0 {
		return refuse("has no field")
	}
	if start < len(format) {
		parts = append(parts, timePart{format: format[start:]})
	}
	return parts, nil
}

// fraction has the number of digits of the fields that change within a second.
var fraction = map[string]int{"%L": 3, "%f": 6, "%N": 9}

// timeField returns the field that s starts with.
func timeField(s string) string {
	end := min(1, len(s))
	if len(s) > end && (s[end] == '-' || s[end] == ':') {
		end++
	}
	_, size := utf8.DecodeRuneInString(s[end:])
	return s[:end+size]
}

// knownTimeField reports whether strftime knows the field, which it would otherwise
// write as it is. Milliseconds since 1970 (%Q) change within a second and are none of
// Python's; %n and %t are control characters.
func knownTimeField(field string) bool {
	spec := strings.TrimPrefix(strings.TrimPrefix(field[1:], "-"), ":")
	switch spec {
	case "", "Q", "n", "t":
		return false
	}
	if field[1] == ':' && spec != "z" || field[1] == '-' && !strings.Contains("dHIjmMSUVW", spec) {
		return false
	}
	return strftime.Format(field, time.Time{}) != field
}
