package pathtemplate

import (
	"log/slog"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// line is that of a record as a reader has it.
func line(t testing.TB, e record.Entry) *format.Line {
	t.Helper()
	e.Attrs = e.Prepared()
	n, err := e.Size()
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, n)
	if err := e.Encode(payload); err != nil {
		t.Fatal(err)
	}
	r, err := record.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	return &format.Line{Record: r, Origin: &format.Origin{Worker: "w-1", PID: 4711}}
}

// attr is an attribute as it lies in a payload.
func attr(tag record.Tag, key string, value []byte) []byte {
	b := []byte{byte(tag), 0, byte(len(key)), 0, byte(len(value)), 0, 0, 0}
	return append(append(b, key...), value...)
}

// ofAttrs is the line of a record with these string attributes: keys and values in turn.
func ofAttrs(t testing.TB, words ...string) *format.Line {
	t.Helper()
	var e record.Entry
	for i := 0; i < len(words); i += 2 {
		e.Attrs = append(e.Attrs, slog.String(words[i], words[i+1]))
	}
	return line(t, e)
}

func parse(t testing.TB, text string) *Template {
	t.Helper()
	tmpl, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &tmpl
}

// pathOf is the path of l's record, which has one.
func pathOf(t testing.TB, tmpl *Template, l *format.Line) string {
	t.Helper()
	path, ok := tmpl.Append(nil, l)
	if !ok {
		t.Fatal("a field has no value")
	}
	return string(path)
}
