package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	named   []byte
	point   struct{ X, Y int }
	panics  struct{ field int }
	bad     struct{}
	secret  struct{}
	itself  struct{}
	stringy struct{}
)

func (p *panics) Error() string             { return fmt.Sprint(p.field) } // panics for nil
func (panics) MarshalText() ([]byte, error) { panic("no text today") }
func (bad) MarshalText() ([]byte, error)    { return nil, errors.New("no text") }
func (secret) LogValue() slog.Value         { return slog.GroupValue(slog.Any("err", errors.New("hidden"))) }
func (itself) LogValue() slog.Value         { return slog.GroupValue(slog.Any("again", itself{})) }
func (stringy) String() string              { return "a stringer" }

func TestPrepareTurnsEveryValueIntoAPlainOne(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		given any
		want  any
	}{
		"error":               {errors.New("disk full"), errorText("disk full")},
		"wrapped error":       {fmt.Errorf("a: %w", errors.New("b")), errorText("a: b")},
		"nil":                 {nil, "<nil>"},
		"nil pointer error":   {(*panics)(nil), "<nil>"},
		"text marshaler":      {net.IPv4(10, 0, 0, 1), "10.0.0.1"},
		"failing marshaler":   {bad{}, "!ERROR: no text"},
		"panicking marshaler": {panics{}, "!PANIC: no text today"},
		"bytes":               {[]byte{1, 2}, []byte{1, 2}},
		"named bytes":         {named{1, 2}, []byte{1, 2}},
		"raw JSON":            {json.RawMessage(`{}`), []byte(`{}`)},
		"stringer":            {stringy{}, "a stringer"},
		"bytes with a text":   {net.HardwareAddr{1, 2}, "01:02"},
		"struct":              {point{1, 2}, "{X:1 Y:2}"},
		"pointer":             {&point{1, 2}, "&{X:1 Y:2}"},
		"slice":               {[]int{1, 2}, "[1 2]"},
		"plain int":           {7, int64(7)},
	}
	for name, c := range cases {
		got := prepared([]slog.Attr{slog.Any("k", c.given)}, 0)
		if len(got) != 1 || !reflect.DeepEqual(got[0].Value.Any(), c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if _, err := (&Entry{Attrs: got}).Size(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrepareResolvesLogValuersInsideGroups(t *testing.T) {
	t.Parallel()
	given := []slog.Attr{slog.Int("a", 1), slog.Group("g", slog.Any("s", secret{}), slog.Group("plain", slog.Int("n", 1)))}
	want := []slog.Attr{
		slog.Int("a", 1),
		slog.Group("g", slog.Group("s", slog.Any("err", errorText("hidden"))), slog.Group("plain", slog.Int("n", 1))),
	}
	a, b := Entry{Attrs: prepared(given, 0)}, Entry{Attrs: want}
	if got, want := encode(t, &a), encode(t, &b); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if given[1].Value.Group()[0].Value.Kind() != slog.KindLogValuer {
		t.Error("the caller's attributes were changed")
	}
}

func TestPrepareEndsALogValuerThatContainsItself(t *testing.T) {
	t.Parallel()
	e := Entry{Attrs: prepared([]slog.Attr{slog.Any("k", itself{})}, 0)}
	payload := encode(t, &e)
	if n := strings.Count(string(payload), "again"); n != MaxDepth || !bytes.Contains(payload, []byte(tooDeep)) {
		t.Errorf("%d groups: %q", n, payload)
	}
	decode(t, payload)
}

func TestPrepareCutsGroupsThatNestTooDeep(t *testing.T) {
	t.Parallel()
	e := Entry{Attrs: prepared([]slog.Attr{nested(10000)}, 0)}
	decode(t, encode(t, &e))
}

func TestPrepareReturnsPlainAttributesAsTheyAre(t *testing.T) {
	t.Parallel()
	attrs := []slog.Attr{
		slog.Bool("b", true), slog.Int("i", 1), slog.Uint64("u", 1), slog.Float64("f", 1), slog.String("s", ""),
		slog.Time("t", time.Now()), slog.Time("zero", time.Time{}), slog.Duration("d", 1),
		slog.Any("bytes", []byte("x")), slog.Group("g", slog.Int("n", 1)),
		{},
	}
	got := prepared(attrs, 0)
	if &got[0] != &attrs[0] || len(got) != len(attrs) {
		t.Error("plain attributes were copied")
	}
}
