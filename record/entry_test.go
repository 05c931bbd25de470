package record

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEncodeWritesTheDocumentedBytes(t *testing.T) {
	t.Parallel()
	e := Entry{
		Logger:  "ab",
		Message: "hey",
		Time:    0x0102030405060708,
		Level:   CustomLevel[string]{ScalePython, 25, "NOTE"},
		Source:  Source[string]{"f.go", 7, "main"},
		Thread:  "t",
		Attrs:   []slog.Attr{slog.Bool("k", true), slog.Group("g", slog.Int("i", -2))},
	}
	want := []byte("" +
		"\x02\x00\x00\x00\x03\x00\x00\x00" + "ab" + "hey" +
		"\x20\x00\x00\x00\x08\x00\x00\x00" + "\x08\x07\x06\x05\x04\x03\x02\x01" +
		"\x21\x00\x00\x00\x09\x00\x00\x00" + "\x02\x19\x00\x00\x00NOTE" +
		"\x22\x00\x00\x00\x0e\x00\x00\x00" + "\x07\x00\x00\x00\x04\x00f.gomain" +
		"\x26\x00\x00\x00\x01\x00\x00\x00" + "t" +
		"\x01\x00\x01\x00\x01\x00\x00\x00" + "k\x01" +
		"\x09\x00\x01\x00\x11\x00\x00\x00" + "g" +
		"\x02\x00\x01\x00\x08\x00\x00\x00" + "i\xfe\xff\xff\xff\xff\xff\xff\xff")
	if got := encode(t, &e); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAttributesComeBackAsTheyWereLogged(t *testing.T) {
	t.Parallel()
	zone := func(seconds int) *time.Location { return time.FixedZone("", seconds) }
	values := map[string]slog.Value{
		"false":             slog.BoolValue(false),
		"true":              slog.BoolValue(true),
		"int min":           slog.Int64Value(math.MinInt64),
		"int max":           slog.Int64Value(math.MaxInt64),
		"uint max":          slog.Uint64Value(math.MaxUint64),
		"zero float":        slog.Float64Value(0),
		"minus zero":        slog.Float64Value(math.Copysign(0, -1)),
		"infinity":          slog.Float64Value(math.Inf(1)),
		"minus infinity":    slog.Float64Value(math.Inf(-1)),
		"smallest float":    slog.Float64Value(math.SmallestNonzeroFloat64),
		"largest float":     slog.Float64Value(math.MaxFloat64),
		"empty string":      slog.StringValue(""),
		"string":            slog.StringValue("naïve ☃"),
		"invalid UTF-8":     slog.StringValue("a\xff\x00b"),
		"long string":       slog.StringValue(strings.Repeat("x", 1<<17)),
		"bytes":             slog.AnyValue([]byte{0, 255, 10}),
		"error":             slog.AnyValue(errorText("broken")),
		"zero time":         slog.TimeValue(time.Time{}),
		"epoch":             slog.TimeValue(time.Unix(0, 0).UTC()),
		"before the epoch":  slog.TimeValue(time.Unix(-1, 999999999).UTC()),
		"year 1":            slog.TimeValue(time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)),
		"year 9999":         slog.TimeValue(time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)),
		"zone east":         slog.TimeValue(time.Date(2026, 11, 23, 18, 47, 1, 5, zone(5*3600+1800))),
		"zone west":         slog.TimeValue(time.Date(2026, 11, 23, 18, 47, 1, 5, zone(-11*3600))),
		"zone with seconds": slog.TimeValue(time.Date(1890, 1, 1, 0, 0, 0, 0, zone(3208))),
		"zone at the limit": slog.TimeValue(time.Date(2026, 1, 1, 0, 0, 0, 0, zone(-86399))),
		"shortest duration": slog.DurationValue(math.MinInt64),
		"longest duration":  slog.DurationValue(math.MaxInt64),
		"group":             slog.GroupValue(slog.Int("a", 1), slog.Group("b", slog.String("c", "d")), slog.Bool("", true)),
		"deepest group":     nested(MaxDepth).Value,
	}
	for name, v := range values {
		for _, key := range []string{"key", "", "schlüssel", "a b=c\n\xfe", strings.Repeat("k", MaxKey)} {
			if key == "" && v.Kind() == slog.KindGroup {
				continue // inlined, and tested below
			}
			e := Entry{Attrs: []slog.Attr{{Key: key, Value: v}}}
			r := decode(t, encode(t, &e))
			got := slogAttrs(r.Attrs())
			if len(got) != 1 || got[0].Key != key || !equal(got[0].Value, v) {
				t.Errorf("%s, key %.10q: got %v, want %v", name, key, got, v)
			}
		}
	}
}

// equal is slog.Value.Equal made to hold for slices, and to tell zones apart.
func equal(a, b slog.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case slog.KindAny:
		return reflect.DeepEqual(a.Any(), b.Any())
	case slog.KindTime:
		_, x := a.Time().Zone()
		_, y := b.Time().Zone()
		return a.Time().Equal(b.Time()) && x == y
	case slog.KindFloat64:
		return math.Float64bits(a.Float64()) == math.Float64bits(b.Float64())
	}
	return a.Equal(b)
}

func TestNaNKeepsItsBits(t *testing.T) {
	t.Parallel()
	for _, bits := range []uint64{0x7ff8000000000001, 0x7ff0000000000001, 0xfff800000000beef} {
		e := Entry{Attrs: []slog.Attr{slog.Float64("f", math.Float64frombits(bits))}}
		r := decode(t, encode(t, &e))
		for a := range r.Attrs().All() {
			if got := math.Float64bits(a.Value.Float64()); got != bits {
				t.Errorf("got %#x, want %#x", got, bits)
			}
		}
	}
}

func TestAZoneThatCannotExistIsWrittenAsUTC(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 86400))
	e := Entry{Attrs: []slog.Attr{slog.Time("t", want)}}
	r := decode(t, encode(t, &e))
	for a := range r.Attrs().All() {
		if got, offset := a.Value.Time(); !got.Equal(want) || offset != 0 {
			t.Errorf("got %v, offset %d", got, offset)
		}
	}
}

func TestAllThatARecordSaysOfItselfComesBack(t *testing.T) {
	t.Parallel()
	want := Entry{
		Logger: "orders", MessageBytes: []byte("line\xff\n"), Time: math.MinInt64,
		Level:     CustomLevel[string]{ScaleSlog, math.MinInt32, ""},
		Source:    Source[string]{strings.Repeat("f", MaxFile), math.MaxUint32, ""},
		Traceback: "Traceback", Stack: "Stack", Process: "worker-3", Thread: "MainThread",
		Attrs: []slog.Attr{slog.Int("n", 1)},
	}
	r := decode(t, encode(t, &want))
	if got := entryOf(&r); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if r.IsRaw() || r.Unknown() != 0 {
		t.Errorf("IsRaw %v, Unknown %d", r.IsRaw(), r.Unknown())
	}
}

func TestAnEmptyEntryIsAHeaderAndHasNothingOptional(t *testing.T) {
	t.Parallel()
	payload := encode(t, &Entry{})
	if !bytes.Equal(payload, make([]byte, 8)) {
		t.Fatalf("payload %x", payload)
	}
	r := decode(t, payload)
	_, hasTime := r.Time()
	_, hasLevel := r.Level()
	_, hasSource := r.Source()
	if hasTime || hasLevel || hasSource || r.Traceback() != nil || r.Stack() != nil ||
		r.Process() != nil || r.Thread() != nil || !r.Attrs().Empty() {
		t.Error("something optional is there")
	}
}

func TestMessageIsTheSameFromStringAndBytes(t *testing.T) {
	t.Parallel()
	s := Entry{Logger: "l", Message: "m\x00é"}
	b := Entry{Logger: "l", Message: "ignored", MessageBytes: []byte("m\x00é")}
	if !bytes.Equal(encode(t, &s), encode(t, &b)) {
		t.Error("payloads differ")
	}
	if got := encode(t, &Entry{Message: "ignored", MessageBytes: []byte{}}); len(got) != headerSize {
		t.Error("empty MessageBytes did not take the place of Message")
	}
}

func TestGroupsFollowSlogsRules(t *testing.T) {
	t.Parallel()
	empty := slog.Group("empty", slog.Group("deeper"), slog.Attr{}, slog.Group("", slog.Group("x")))
	cases := map[string][2][]slog.Attr{
		"empty group is dropped":          {{empty, slog.Int("a", 1)}, {slog.Int("a", 1)}},
		"empty group at the end":          {{slog.Int("a", 1), empty}, {slog.Int("a", 1)}},
		"empty group in a group":          {{slog.Group("g", slog.Int("a", 1), empty)}, {slog.Group("g", slog.Int("a", 1))}},
		"group without a key is inlined":  {{slog.Group("", slog.Int("a", 1), slog.Int("b", 2))}, {slog.Int("a", 1), slog.Int("b", 2)}},
		"inlined inside a group":          {{slog.Group("g", slog.Group("", slog.Int("a", 1)))}, {slog.Group("g", slog.Int("a", 1))}},
		"zero Attr is ignored":            {{{}, slog.Int("a", 1), {}}, {slog.Int("a", 1)}},
		"only zero Attrs":                 {{{}, empty}, nil},
		"string without a key is a field": {{slog.String("", "")}, {slog.String("", "")}},
	}
	for name, c := range cases {
		given, want := Entry{Attrs: c[0]}, Entry{Attrs: c[1]}
		if got, want := encode(t, &given), encode(t, &want); !bytes.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestSizeRefusesWhatTheFormatCannotSay(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<16)
	cases := map[string]struct {
		entry Entry
		want  error
	}{
		"logger":          {Entry{Logger: long}, errLogger},
		"key":             {Entry{Attrs: []slog.Attr{slog.Int(long, 1)}}, errKey},
		"key in a group":  {Entry{Attrs: []slog.Attr{slog.Group("g", slog.Int(long, 1))}}, errKey},
		"key of a group":  {Entry{Attrs: []slog.Attr{slog.Group(long, slog.Int("n", 1))}}, errKey},
		"source file":     {Entry{Source: Source[string]{File: long}}, errFile},
		"deep groups":     {Entry{Attrs: []slog.Attr{nested(MaxDepth + 1)}}, ErrUnprepared},
		"error":           {Entry{Attrs: []slog.Attr{slog.Any("e", errors.New("x"))}}, ErrUnprepared},
		"nil with a key":  {Entry{Attrs: []slog.Attr{slog.Any("e", nil)}}, ErrUnprepared},
		"struct in group": {Entry{Attrs: []slog.Attr{slog.Group("g", slog.Any("s", struct{}{}))}}, ErrUnprepared},
	}
	for name, c := range cases {
		if _, err := c.entry.Size(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if isLong := c.want != ErrUnprepared; isLong != errors.Is(c.want, ErrTooLong) {
			t.Errorf("%s: %v is not of its kind", name, c.want)
		}
	}
}

func TestEncodeReportsAnEntryThatChangedAndStaysInItsSlice(t *testing.T) {
	t.Parallel()
	original := []slog.Attr{slog.String("a", "1234"), slog.Group("in", slog.Int("n", 1))}
	group := make([]slog.Attr, len(original)) // GroupValue keeps it, so changes to it are seen
	changes := map[string]func(e *Entry){
		"longer logger":     func(e *Entry) { e.Logger += "x" },
		"shorter message":   func(e *Entry) { e.Message = "" },
		"longer message":    func(e *Entry) { e.MessageBytes = make([]byte, 4096) },
		"more attributes":   func(e *Entry) { e.Attrs = append(e.Attrs, slog.Int("more", 1)) },
		"longer value":      func(e *Entry) { group[0] = slog.String("a", "12345") },
		"shorter value":     func(e *Entry) { group[0] = slog.String("a", "") },
		"group inside gone": func(e *Entry) { group[1] = slog.Group("in") },
		"unprepared value":  func(e *Entry) { group[0] = slog.Any("a", struct{}{}) },
		"deeper":            func(e *Entry) { group[1] = nested(MaxDepth + 1) },
		"time added":        func(e *Entry) { e.Time = 1 },
		"key too long":      func(e *Entry) { group[0] = slog.String(strings.Repeat("k", 1<<16), "") },
		"logger too long":   func(e *Entry) { e.Logger = strings.Repeat("l", 1<<16) },
	}
	for name, change := range changes {
		copy(group, original)
		e := typical()
		e.Attrs = append(e.Attrs, slog.Attr{Key: "g", Value: slog.GroupValue(group...)})
		size, err := e.Size()
		if err != nil {
			t.Fatal(err)
		}
		room := bytes.Repeat([]byte{0xa5}, size+64)
		change(&e)
		if err := e.Encode(room[:size]); !errors.Is(err, ErrSizeChanged) {
			t.Errorf("%s: got %v, want ErrSizeChanged", name, err)
		}
		if !bytes.Equal(room[size:], bytes.Repeat([]byte{0xa5}, 64)) {
			t.Errorf("%s: wrote outside its slice", name)
		}
	}
}

func TestEncodeFailsForEveryWrongLength(t *testing.T) {
	t.Parallel()
	e := typical()
	e.Attrs = append(e.Attrs, slog.Group("g", slog.Duration("d", 1), slog.Any("b", []byte("xyz"))))
	e.Thread = "t"
	size, err := e.Size()
	if err != nil {
		t.Fatal(err)
	}
	for n := range size + 20 {
		if err := e.Encode(make([]byte, n)); (err == nil) != (n == size) {
			t.Errorf("%d bytes of %d: %v", n, size, err)
		}
	}
}

func TestEncodeShortFillsTheFrontOfItsSliceOrSaysThatItCannot(t *testing.T) {
	t.Parallel()
	e := rich()
	want := encode(t, &e)
	for n := range len(want) + 20 {
		dst := make([]byte, n)
		got, ok := e.EncodeShort(dst)
		if ok != (n >= len(want)) || ok && !bytes.Equal(dst[:got], want) {
			t.Errorf("in %d bytes of %d: %v, %d", n, len(want), ok, got)
		}
	}
	e.Attrs = []slog.Attr{slog.Any("k", errors.New("not prepared"))}
	if n, ok := e.EncodeShort(make([]byte, 1000)); ok {
		t.Errorf("an attribute that is not plain was written in %d bytes", n)
	}
}
