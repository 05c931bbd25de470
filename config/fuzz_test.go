package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Whatever the text, Parse ends without a panic; what it accepts a reader accepts; and a
// mistake is one line, with a place that the text has, in order.
func FuzzParse(f *testing.F) {
	f.Add(Example())
	f.Add(commented.ReplaceAll(Example(), []byte("$1$2")))
	for _, seed := range []string{
		one, "a: &x [*x]\n<<: *x\n", "outputs: [{path: \"{a}\", layout: '%(asctime)s', time_format: '%e'}]", "outputs:\n- path: |+2\n\n   x\n",
		"? - - {\n: [", "outputs: [{path: a, json_fields: {time: a, level: a}, format: json}]", "---\n--- !x &y *z\n", "max_open_files: 1\noutputs:\n- path: a/{b}\n- path: c/{d}\n",
		"outputs: [{path: a, attrs: {b: c}, keep: {age: 1w1d1s, size: 1.5EB}, hook: {command: [\"\\0\"]}}]", "\"\\x", "'\n'\n", "outputs: \"\\uD800\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("f", text, Overrides{})
		if err == nil {
			if err := c.Check(); err != nil {
				t.Errorf("accepted, and no reader takes it: %v", err)
			}
			return
		}
		if c != nil {
			t.Error("a Config, and an error")
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("%T: %v", err, err)
		}
		lines := bytes.Count(text, []byte("\n")) + 1
		last := 0
		for _, err := range joined.Unwrap() {
			var e *Error
			switch {
			case !errors.As(err, &e):
				t.Fatalf("%T: %v", err, err)
			case e.Msg == "" || strings.ContainsFunc(e.Msg, func(r rune) bool { return r == '\n' || r == '\r' }):
				t.Errorf("not one line: %q", e.Msg)
			case e.Line < last || e.Line > lines || (e.Line == 0) != (e.Column == 0):
				t.Errorf("line %d of %d, after %d: %v", e.Line, lines, last, e)
			case len(e.Msg) > 6*maxText:
				t.Errorf("%d bytes: %.100s…", len(e.Msg), e.Msg)
			}
			last = e.Line
		}
	})
}
