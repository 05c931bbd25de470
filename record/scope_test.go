package record

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// A scope is right if a record in it has the bytes of one that says all of it by
// itself.
func TestRecordsInAScopeHaveTheBytesOfThoseThatSayItAllThemselves(t *testing.T) {
	t.Parallel()
	a, b, c := slog.Int("a", 1), slog.String("b", "two"), slog.Float64("c", 3)
	group := func(name string, attrs ...slog.Attr) slog.Attr { return slog.GroupAttrs(name, attrs...) }
	for name, tc := range map[string]struct {
		scope *Scope
		attrs []slog.Attr
		want  []slog.Attr
	}{
		"nothing":                        {nil, nil, nil},
		"empty scope":                    {new(Scope), []slog.Attr{a}, []slog.Attr{a}},
		"attributes":                     {new(Scope).WithAttrs([]slog.Attr{a, b}), []slog.Attr{c}, []slog.Attr{a, b, c}},
		"attributes twice":               {new(Scope).WithAttrs([]slog.Attr{a}).WithAttrs([]slog.Attr{b}), []slog.Attr{c}, []slog.Attr{a, b, c}},
		"group":                          {new(Scope).WithGroup("g"), []slog.Attr{a}, []slog.Attr{group("g", a)}},
		"group without attributes":       {new(Scope).WithGroup("g"), nil, nil},
		"group of empty groups":          {new(Scope).WithGroup("g"), []slog.Attr{group("h"), {}}, nil},
		"group without a name":           {new(Scope).WithGroup(""), []slog.Attr{a}, []slog.Attr{a}},
		"attributes in a group":          {new(Scope).WithGroup("g").WithAttrs([]slog.Attr{a}), []slog.Attr{b}, []slog.Attr{group("g", a, b)}},
		"attributes around groups":       {new(Scope).WithAttrs([]slog.Attr{a}).WithGroup("g").WithAttrs([]slog.Attr{b}).WithGroup("h"), []slog.Attr{c}, []slog.Attr{a, group("g", b, group("h", c))}},
		"groups, the last one empty":     {new(Scope).WithGroup("g").WithAttrs([]slog.Attr{b}).WithGroup("h"), nil, []slog.Attr{group("g", b)}},
		"groups in groups":               {new(Scope).WithGroup("g").WithGroup("h").WithGroup("i"), []slog.Attr{a, b}, []slog.Attr{group("g", group("h", group("i", a, b)))}},
		"two groups, then attributes":    {new(Scope).WithGroup("g").WithGroup("h").WithAttrs([]slog.Attr{a}).WithGroup("i"), []slog.Attr{c}, []slog.Attr{group("g", group("h", a, group("i", c)))}},
		"no attributes between groups":   {new(Scope).WithGroup("g").WithAttrs(nil).WithGroup("h"), []slog.Attr{c}, []slog.Attr{group("g", group("h", c))}},
		"a group as attribute":           {new(Scope).WithGroup("g").WithAttrs([]slog.Attr{group("h", a), group("", b)}), []slog.Attr{c}, []slog.Attr{group("g", group("h", a), b, c)}},
		"what is not plain":              {new(Scope).WithAttrs([]slog.Attr{slog.Any("e", errors.New("broken"))}), nil, []slog.Attr{slog.Any("e", errorText("broken"))}},
		"groups as deep as there may be": {deep(MaxDepth - 1), []slog.Attr{group("g", a)}, []slog.Attr{wrap(MaxDepth, a)}},
		"a group that is too deep":       {deep(MaxDepth), []slog.Attr{group("h", a)}, []slog.Attr{wrap(MaxDepth, slog.String("h", tooDeep))}},
		"a scope that is too deep":       {deep(MaxDepth + 1).WithGroup("h").WithAttrs([]slog.Attr{b}), []slog.Attr{a}, []slog.Attr{wrap(MaxDepth, slog.String("g", tooDeep))}},
	} {
		in := Entry{Logger: "l", Message: "m", Time: 7, Scope: tc.scope}
		in.Attrs = tc.attrs
		in.Attrs = in.Prepared()
		by := Entry{Logger: "l", Message: "m", Time: 7, Attrs: tc.want}
		if got, want := encode(t, &in), encode(t, &by); !bytes.Equal(got, want) {
			t.Errorf("%s: got  %q\nwant %q", name, got, want)
		}
		decode(t, encode(t, &in))
	}
}

// deep is a scope of so many groups.
func deep(groups int) *Scope {
	s := new(Scope)
	for range groups {
		s = s.WithGroup("g")
	}
	return s
}

// wrap is a inside so many groups.
func wrap(groups int, a slog.Attr) slog.Attr {
	for range groups {
		a = slog.GroupAttrs("g", a)
	}
	return a
}

func TestScopesMadeOfOneDoNotMix(t *testing.T) {
	t.Parallel()
	base := new(Scope).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("h")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := base.WithGroup(fmt.Sprint("own", i)).WithAttrs([]slog.Attr{slog.Int("b", i)})
			e := Entry{Scope: mine}
			want := Entry{Attrs: []slog.Attr{slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Group(fmt.Sprint("own", i), slog.Int("b", i))))}}
			if got, want := encode(t, &e), encode(t, &want); !bytes.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
}

func TestWhatIsTooLongInAScopeIsEveryRecordsError(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", MaxKey+1)
	for name, s := range map[string]*Scope{
		"key":   new(Scope).WithAttrs([]slog.Attr{slog.Int(long, 1)}),
		"group": new(Scope).WithGroup(long),
	} {
		s = s.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g")
		e := Entry{Message: "m", Scope: s}
		if _, err := e.Size(); !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := e.EncodeShort(make([]byte, 1000)); ok {
			t.Errorf("%s: encoded", name)
		}
	}
	if _, err := Fields([]slog.Attr{slog.Int(long, 1)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("fields: %v", err)
	}
}

func TestLeadComesFirstAndOutsideOfGroups(t *testing.T) {
	t.Parallel()
	lead, err := Fields([]slog.Attr{slog.String("study", "s"), slog.Int("trial", 17)})
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Message: "m", Lead: lead, Scope: new(Scope).WithGroup("g"), Attrs: []slog.Attr{slog.Int("a", 1)}}
	want := Entry{Message: "m", Attrs: []slog.Attr{slog.String("study", "s"), slog.Int("trial", 17), slog.Group("g", slog.Int("a", 1))}}
	if got, want := encode(t, &e), encode(t, &want); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
