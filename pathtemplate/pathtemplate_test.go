package pathtemplate

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

func hashOf(value string) string { return fmt.Sprintf("~%x", sha256.Sum256([]byte(value)))[:17] }

func TestValuesAreMadeSafeForNames(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"17":                   "17",
		"trades.fx":            "trades.fx",
		"é日😀":                  "é日😀",
		"a b=c,(d)[e]&$":       "a b=c,(d)[e]&$",
		"":                     "%empty",
		"%empty":               "%25empty",
		"%41":                  "%2541",
		"A":                    "A",
		"a/b":                  "a%2Fb",
		"/etc/passwd":          "%2Fetc%2Fpasswd",
		"../../etc/x":          "%2E.%2F..%2Fetc%2Fx",
		`..\x`:                 "%2E.%5Cx",
		".":                    "%2E",
		"..":                   "%2E%2E",
		"...":                  "%2E.%2E",
		".hidden":              "%2Ehidden",
		"end.":                 "end%2E",
		" a ":                  "%20a%20",
		"   ":                  "%20 %20",
		"-":                    "%2D",
		"-rf":                  "%2Drf",
		"a-b":                  "a-b",
		"~root":                "%7Eroot",
		"a~0123456789abcdef":   "a%7E0123456789abcdef",
		"\x00":                 "%00",
		"a\nb\x1b[2J\x7f":      "a%0Ab%1B[2J%7F",
		`<>:"|?*`:              "%3C%3E%3A%22%7C%3F%2A",
		"\xff\xc3":             "%FF%C3",
		"\ufffd":               "\ufffd",
		"\u0085":               "%C2%85",
		"gnp.\u202egol.exe":    "gnp.%E2%80%AEgol.exe",
		"a\u200bb\u00a0\u3000": "a%E2%80%8Bb%C2%A0%E3%80%80",
		"\u2066\u2069\ufeff":   "%E2%81%A6%E2%81%A9%EF%BB%BF",
		"\u3164\u115f\ufe0f":   "%E3%85%A4%E1%85%9F%EF%B8%8F",
		"\u2800\U000e0001":     "%E2%A0%80%F3%A0%80%81",
		"\u2028":               "%E2%80%A8",
	} {
		tmpl := parse(t, "logs/{trial}.log")
		if got := pathOf(t, tmpl, ofAttrs(t, "trial", value)); got != "logs/"+want+".log" {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestLongValuesAreCutBetweenCharactersAndEndInTheirHash(t *testing.T) {
	t.Parallel()
	rep := strings.Repeat
	for value, begin := range map[string]string{
		rep("x", 100):                          "",
		rep("x", 300):                          rep("x", 83),
		rep("x", 101):                          rep("x", 83),
		rep("é", 51):                           rep("é", 41), // 82 bytes, since 84 are too many
		rep("/", 34):                           rep("%2F", 27),
		rep("x", 81) + "\u202e" + rep("x", 19): rep("x", 81),
		rep("x", 82) + " " + rep("y", 40):      rep("x", 82) + " ",
		rep("x", 1<<20):                        rep("x", 83),
	} {
		want := begin + hashOf(value)
		if begin == "" {
			want = value
		}
		tmpl := parse(t, "{v}.log")
		if got := pathOf(t, tmpl, ofAttrs(t, "v", value)); got != want+".log" {
			t.Errorf("%.120q: %q, want %q", value, got, want)
		}
	}
}

func TestSeveralFieldsInANameShareItsRoom(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for text, each := range map[string]int{"{a}.log": 100, "{a}-{a}.log": 100, "{a}-{a}-{a}.log": 70, "{a}-{a}-{a}-{a}-{a}-{a}-{a}-{a}": 26, "{a}/{a}/{a}/{a}/{a}": 100} {
		path := pathOf(t, parse(t, text), ofAttrs(t, "a", long))
		value := long[:each-17] + hashOf(long)
		if want := strings.ReplaceAll(text, "{a}", value); path != want {
			t.Errorf("%s: %q, want %q", text, path, want)
		}
		for name := range strings.SplitSeq(path, "/") {
			if len(name)+len(".20261123T184701.123456789Z.zst") > 255 {
				t.Errorf("%s: a name of %d bytes", text, len(name))
			}
		}
	}
}

func TestFieldsHaveTheTextOfLines(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 18, 47, 1, 5e8, time.FixedZone("", 3600))
	l := line(t, record.Entry{Logger: "trades.fx", Attrs: []slog.Attr{
		slog.Group("g", slog.Int("grouped", 1)), slog.Group("twice", slog.Int("x", 1)), slog.Int("twice", 2), slog.Int("twice", 3),
		slog.String("level", "forged"),
		slog.Bool("bool", true), slog.Float64("float", 1e-9), slog.Duration("dur", 1500*time.Millisecond), slog.Time("time", at),
		slog.Any("bytes", []byte("b")), slog.Any("err", fmt.Errorf("no route")), slog.Uint64("uint", 1<<63), slog.String("{", "brace"),
	}})
	l.Level = record.LevelWarning
	for field, want := range map[string]string{
		"logger": "trades.fx", "level": "WARNING", "worker": "w-1", "pid": "4711",
		"twice": "2", "bool": "true", "float": "1e-09", "dur": "1.5s", "time": "2026-11-23T18%3A47%3A01.5+01%3A00",
		"bytes": "b", "err": "no route", "uint": "9223372036854775808",
	} {
		if got := pathOf(t, parse(t, "{"+field+"}"), l); got != want {
			t.Errorf("{%s}: %q, want %q", field, got, want)
		}
	}
	// Package record leaves no group without a key, but others may.
	number := func(key string, n byte) []byte { return attr(record.TagInt, key, []byte{n, 0, 0, 0, 0, 0, 0, 0}) }
	deep := attr(record.TagGroup, "", number("deep", 5))
	payload := append(make([]byte, 8), attr(record.TagGroup, "", append(deep, number("inlined", 4)...))...)
	decoded, err := record.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	inlined := &format.Line{Record: decoded}
	if got := pathOf(t, parse(t, "{inlined}/{deep}"), inlined); got != "4/5" {
		t.Errorf("in groups without a key: %q", got)
	}
	for _, field := range []string{"grouped", "g", "g.grouped", "missing", "Level"} {
		if path, ok := parse(t, "a/{logger}/{"+field+"}").Append([]byte("before"), l); ok || string(path) != "before" {
			t.Errorf("{%s}: %q, %v", field, path, ok)
		}
	}
	root := line(t, record.Entry{Level: record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "a/../b"}})
	if got := pathOf(t, parse(t, "x/{logger}/{level}"), root); got != "x/root/a%2F..%2Fb" {
		t.Errorf("root: %q", got)
	}
	root.Record = record.Raw([]byte("message"))
	if got := pathOf(t, parse(t, "{logger}"), root); got != "root" {
		t.Errorf("raw record: %q", got)
	}
	root.Origin = nil
	if path, ok := parse(t, "{pid}").Append(nil, root); ok {
		t.Errorf("a pid of nobody: %q", path)
	}
}

func TestNamesOfDevicesAreDisarmedWhereTheyAreTheStem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, value, want string }{
		{"{v}.log", "CON", "%43ON.log"},
		{"{v}", "CON", "%43ON"},
		{"{v}/a.log", "nul", "%6Eul/a.log"},
		{"{v}.log", "Aux.tar.gz", "%41ux.tar.gz.log"},
		{"{v}.log", "COM1", "%43OM1.log"},
		{"{v}.log", "lpt9.x", "%6Cpt9.x.log"},
		{"{v}.log", "COM¹", "%43OM¹.log"},
		{"{v}.log", "CONIN$", "%43ONIN$.log"},
		{"COM{v}.log", "1", "COM%31.log"},
		{"COM{v}.log", "¹", "COM%C2%B9.log"},
		{"{v}N.log", "CO", "%43ON.log"},
		{"CON.{v}", "x", "CON.x"}, // the template's own
		{"{v}.log", "COM", "COM.log"},
		{"{v}.log", "COM10", "COM10.log"},
		{"{v}.log", "COMa", "COMa.log"},
		{"{v}.log", "CONSOLE", "CONSOLE.log"},
		{"{v} .log", "prn", "%70rn .log"},
		{"x-{v}.log", "CON", "x-CON.log"},
		{"{v}-x.log", "CON", "CON-x.log"},
		{"{v}.log", "x.CON", "x.CON.log"},
	} {
		if got := pathOf(t, parse(t, c.text), ofAttrs(t, "v", c.value)); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.text, c.value, got, c.want)
		}
	}
}

func TestNoValueMakesANameOfLogfile(t *testing.T) {
	t.Parallel()
	const instant = "20261123T184701.123456789Z"
	for _, c := range []struct{ text, value, want string }{
		{"{v}", "17.log." + instant, "17.log.20261123T184701.123456789%5A"},
		{"{v}", "17.log." + instant + ".gz", "17.log." + instant + ".g%7A"},
		{"{v}", "17.log." + instant + ".zst", "17.log." + instant + ".zs%74"},
		{"17.log.{v}", instant, "17.log.20261123T184701.123456789%5A"},
		{"17.log.2026{v}9Z.gz", instant[4:24], "17.log.20261123T184701.1234567%389Z.gz"},
		{"{v}/a", "17.log." + instant, "17.log.20261123T184701.123456789%5A/a"},
		{"{v}", "CON." + instant, "%43ON.20261123T184701.123456789%5A"},
		{"{v}.log", "17.log." + instant, "17.log." + instant + ".log"},
		{"{v}", "17.log." + instant + ".bz2", "17.log." + instant + ".bz2"},
		{"{v}", "17.log." + instant[:25], "17.log." + instant[:25]},
		{"{v}", ".17.log.next", "%2E17.log.next"},
	} {
		if got := pathOf(t, parse(t, c.text), ofAttrs(t, "v", c.value)); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.text, c.value, got, c.want)
		}
	}
	path := pathOf(t, parse(t, "17.log.{v}T184701.{w}"), ofAttrs(t, "v", "20261123", "w", "123456789Z"))
	if want := "17.log.20261123T184701.123456789%5A"; path != want {
		t.Errorf("of two values: %q, want %q", path, want)
	}
}

// What tells fields apart is encoded in the second one only, so that names read well.
func TestValuesBesideEachOtherAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, a, b, want string }{
		{"{a}-{b}.log", "a", "b-c", "a-b%2Dc.log"},
		{"{a}-{b}.log", "a-b", "c", "a-b-c.log"},
		{"{a}-t{b}.log", "a", "x-t1", "a-tx%2Dt1.log"},
		{"{a}.{b}", "1.5", "1.5", "1.5.1%2E5"},
		{"{a}·{b}", "x·y", "x·y", "x·y·x%C2%B7y"},
		{"{a}-{b}", "", "", "%empty-%empty"},
		{"{a}/{b}-x", "a-b", "c-d", "a-b/c-d-x"},
	} {
		if got := pathOf(t, parse(t, c.text), ofAttrs(t, "a", c.a, "b", c.b)); got != c.want {
			t.Errorf("%s of %q and %q: %q, want %q", c.text, c.a, c.b, got, c.want)
		}
	}
}

// Each pair of values of up to two characters that mean something, and of some others,
// has a path of its own.
func TestNoTwoPairsOfValuesHaveOnePath(t *testing.T) {
	t.Parallel()
	values := []string{""}
	for begin := 0; begin < len(values); {
		end := len(values)
		for ; begin < end; begin++ {
			for _, r := range "1-./%~ Z" {
				values = append(values, values[begin]+string(r))
			}
		}
		if len(values) > 70 {
			break
		}
	}
	values = append(values, "a ", "x-1-", "CON", "%43ON", "con", "ON", "empty", "\xff", "%FF", "\ufffd", "20261123T184701.123456789Z",
		"20261123T184701.123456789%5A", strings.Repeat("x", 300), strings.Repeat("x", 301), strings.Repeat("x", 83)+hashOf(strings.Repeat("x", 300)))
	for _, text := range []string{"{a}-{b}.log", "{a}.{b}", "{a}/{b}", "C{a}%-%{b}Z", "{a} {b}"} {
		tmpl := parse(t, text)
		seen := map[string][2]string{}
		for _, a := range values {
			for _, b := range values {
				path := pathOf(t, tmpl, ofAttrs(t, "a", a, "b", b))
				if other, ok := seen[path]; ok {
					t.Fatalf("%s: %q is the path of %q and of %q, %q", text, path, other, a, b)
				}
				seen[path] = [2]string{a, b}
			}
		}
	}
}

func TestAppendAllocatesNothingButRoom(t *testing.T) {
	l := line(t, record.Entry{Attrs: []slog.Attr{
		slog.Int("i", -17), slog.Time("t", time.Unix(1e9, 1)), slog.String("long", strings.Repeat("x\n", 300)), slog.String("con", "CON"),
	}})
	tmpl := parse(t, "logs/{logger}/{level}/{worker}/{pid}/{i}/{t}/{long}-{con}/{con}.log")
	dst := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { dst, _ = tmpl.Append(dst[:0], l) }); n > 0 {
		t.Errorf("%v allocations for %q", n, dst)
	}
}

func BenchmarkAppend(b *testing.B) {
	l := line(b, record.Entry{Logger: "trades", Attrs: []slog.Attr{slog.String("study", "wf"), slog.Int("trial", 17)}})
	tmpl := parse(b, "/var/log/trials/{study}/{trial}.log")
	var dst []byte
	for b.Loop() {
		dst, _ = tmpl.Append(dst[:0], l)
	}
}
