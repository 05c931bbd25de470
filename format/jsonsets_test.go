package format

import (
	"encoding/json"
	"log/slog"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

// jsonOfFields returns the JSON formatter of the given names.
func jsonOfFields(t testing.TB, f Fields) Formatter {
	t.Helper()
	formatter, err := New(Options{Name: "json", Fields: f})
	if err != nil {
		t.Fatal(err)
	}
	return formatter
}

// full has all that a record can have.
func full() record.Entry {
	e := rich()
	e.Process, e.Stack = "MainProcess", "Stack:\n  f"
	e.Attrs = append(e.Attrs, slog.Float64("nan", math.NaN()), slog.Int("a.b*c\\d", 1))
	return e
}

func TestECSHasTheSchemasFields(t *testing.T) {
	t.Parallel()
	got := string(jsonOfFields(t, Fields{Set: "ecs"}).Append(nil, lineOf(t, full())))
	want := `{"@timestamp":"2026-11-23T18:47:01.123456789Z","log.level":"NOTICE","message":"order filled at the limit","ecs.version":"1.6.0",` +
		`"log.logger":"trades","service.node.name":"worker-3","process.pid":4711,"event.sequence":7,"event.id":"ab000000000000000000000000000001-2-4096",` +
		`"labels":{"trial":1742,"price":101.25,"symbol":"SPX","b":true,"u":1,"t":"2026-11-23T18:47:01.000000005Z","d":1500000000,` +
		`"bytes":"YWJj","bad":"\ufffd","g_n":1,"g_in_s":"x y","nan":"NaN","a_b_c_d":1},` +
		`"log.origin.file.name":"optimise.py","log.origin.file.line":17,"log.origin.function":"main",` +
		`"error.stack_trace":"Traceback:\n  line\nError\nStack:\n  f","process.name":"MainProcess","process.thread.name":"MainThread",` +
		`"event.severity":25,"ringlog.level_scale":"python"}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	bare := string(NewECS().Append(nil, newLine(record.Raw([]byte("a\xff")))))
	want = `{"@timestamp":"2026-11-23T18:47:01.123456789Z","log.level":"INFO","message":"a\ufffd","ecs.version":"1.6.0",` +
		`"log.logger":"root","service.node.name":"worker-3","process.pid":4711,"event.sequence":7,"event.id":"ab000000000000000000000000000001-2-4096",` +
		`"ringlog.msg_base64":"Yf8="}` + "\n"
	if bare != want {
		t.Errorf("got  %swant %s", bare, want)
	}
}

func TestECSJoinsTracebackAndStack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ traceback, stack, want string }{
		{"t\n", "s", "t\ns"}, {"t", "s\n", "t\ns\n"}, {"t", "", "t"}, {"", "s", "s"},
	} {
		line := NewECS().Append(nil, lineOf(t, record.Entry{Traceback: c.traceback, Stack: c.stack}))
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil || got["error.stack_trace"] != c.want {
			t.Errorf("%v: %s, want %q", err, line, c.want)
		}
	}
}

func TestECSOfNoLabelsIsAnObject(t *testing.T) {
	t.Parallel()
	// No writer here makes a group without attributes, another may.
	payload := "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x09\x00\x01\x00\x00\x00\x00\x00e"
	line := NewECS().Append(nil, lineOfPayload(t, []byte(payload)))
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil || !reflect.DeepEqual(got["labels"], map[string]any{}) {
		t.Errorf("%v: %s", err, line)
	}
}

func TestOTelHasTheDataModelsFields(t *testing.T) {
	t.Parallel()
	got := string(jsonOfFields(t, Fields{Set: "otel"}).Append(nil, lineOf(t, full())))
	want := `{"Timestamp":"1795459621123456789","SeverityText":"NOTICE","SeverityNumber":11,"Body":"order filled at the limit",` +
		`"InstrumentationScope":{"Name":"trades"},"Resource":{"service.instance.id":"worker-3","process.pid":4711},` +
		`"Attributes":{"ringlog.seq":7,"log.record.uid":"ab000000000000000000000000000001-2-4096",` +
		`"code.file.path":"optimise.py","code.line.number":17,"code.function.name":"main",` +
		`"exception.stacktrace":"Traceback:\n  line\nError\n","code.stacktrace":"Stack:\n  f","ringlog.process":"MainProcess","thread.name":"MainThread",` +
		`"ringlog.level_number":25,"ringlog.level_scale":"python",` +
		`"trial":1742,"price":101.25,"symbol":"SPX","b":true,"u":1,"t":"2026-11-23T18:47:01.000000005Z","d":1500000000,` +
		`"bytes":"YWJj","bad":{"base64":"/w=="},"g":{"n":1,"in":{"s":"x y"}},"nan":"NaN","a.b*c\\d":1}}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	bare := string(NewOTel().Append(nil, newLine(record.Raw([]byte("a\xff")))))
	want = `{"Timestamp":"1795459621123456789","SeverityText":"INFO","SeverityNumber":9,"Body":"a\ufffd",` +
		`"InstrumentationScope":{"Name":"root"},"Resource":{"service.instance.id":"worker-3","process.pid":4711},` +
		`"Attributes":{"ringlog.seq":7,"log.record.uid":"ab000000000000000000000000000001-2-4096","ringlog.msg_base64":"Yf8="}}` + "\n"
	if bare != want {
		t.Errorf("got  %swant %s", bare, want)
	}
}

func TestOTelAttributesNeverTakeOurNames(t *testing.T) {
	t.Parallel()
	e := full()
	e.Attrs = nil
	var ours struct{ Attributes map[string]any }
	if err := json.Unmarshal(NewOTel().Append(nil, lineOf(t, e)), &ours); err != nil {
		t.Fatal(err)
	}
	e.Message = "\xff" // for the one that is missing
	for name := range ours.Attributes {
		e.Attrs = append(e.Attrs, slog.String(name, "forged"))
	}
	e.Attrs = append(e.Attrs, slog.String("ringlog.msg_base64", "forged"), slog.Group("", slog.String("thread.name", "forged")))
	var got struct{ Attributes map[string]any }
	if err := json.Unmarshal(NewOTel().Append(nil, lineOf(t, e)), &got); err != nil {
		t.Fatal(err)
	}
	if want := 2*len(ours.Attributes) + 2; len(got.Attributes) != want {
		t.Errorf("%d attributes, want %d: %v", len(got.Attributes), want, got.Attributes)
	}
	for name, value := range ours.Attributes {
		if got.Attributes[name] != value || got.Attributes["attrs."+name] != "forged" {
			t.Errorf("%s is %v, attrs.%[1]s %[3]v", name, got.Attributes[name], got.Attributes["attrs."+name])
		}
	}
}

func TestOTelNumbersLevelsAsTheDataModelDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level record.Level
		own   record.CustomLevel[string]
		want  int
	}{
		{level: record.LevelDebug, want: 5},
		{level: record.LevelInfo, want: 9},
		{level: record.LevelWarning, want: 13},
		{level: record.LevelError, want: 17},
		{level: record.LevelCritical, want: 21},
		{level: 5, want: 10},
		{level: 4, want: 9},
		{level: -1, want: 8},
		{level: -32768, want: 1},
		{level: 32767, want: 24},
		{own: record.CustomLevel[string]{Scale: record.ScalePython, Number: 35, Name: "X"}, want: 15},
		{own: record.CustomLevel[string]{Scale: record.ScaleSlog, Number: -3, Name: "X"}, want: 6},
		{own: record.CustomLevel[string]{Scale: record.ScalePython, Number: -2147483648}, want: 1},
	} {
		l := lineOf(t, record.Entry{Level: c.own})
		l.Level = c.level
		var got struct{ SeverityNumber int }
		if err := json.Unmarshal(NewOTel().Append(nil, l), &got); err != nil || got.SeverityNumber != c.want {
			t.Errorf("%d %v: got %d, %v, want %d", c.level, c.own, got.SeverityNumber, err, c.want)
		}
	}
}

func TestSetsTellRinglogsOwnLines(t *testing.T) {
	t.Parallel()
	l := lineOf(t, record.Entry{Logger: OwnLogger, Message: "lost"})
	l.Event = "lost"
	for set, want := range map[string]struct{ name, value string }{
		"ecs": {"event.action", "lost"}, "otel": {"EventName", "ringlog.lost"}, "plain": {"event", "lost"},
	} {
		var got map[string]any
		f := jsonOfFields(t, Fields{Set: set})
		if err := json.Unmarshal(f.Append(nil, l), &got); err != nil || got[want.name] != want.value {
			t.Errorf("%s: %v, %v", set, got, err)
		}
		forged := lineOf(t, record.Entry{Logger: OwnLogger, Attrs: []slog.Attr{slog.String(want.name, want.value)}})
		got = nil
		if err := json.Unmarshal(f.Append(nil, forged), &got); err != nil || got[want.name] != nil {
			t.Errorf("%s, forged: %v, %v", set, got, err)
		}
	}
}

func TestJSONHasTheNamesThatWereAskedFor(t *testing.T) {
	t.Parallel()
	own := map[string]string{
		"time": "@t", "level": "%s \"", "logger": "", "msg": "message", "worker": "", "pid": "process", "process": "name", "id": "",
		"attrs": "extra", "source": "", "stack": "s", "level_scale": "",
	}
	got := string(jsonOfFields(t, Fields{Names: own}).Append(nil, lineOf(t, full())))
	want := `{"@t":"2026-11-23T18:47:01.123456789Z","%s \"":"NOTICE","message":"order filled at the limit","process":4711,"seq":7,` +
		`"extra":{"trial":1742,"price":101.25,"symbol":"SPX","b":true,"u":1,"t":"2026-11-23T18:47:01.000000005Z","d":1500000000,` +
		`"bytes":"YWJj","bad":{"base64":"/w=="},"g":{"n":1,"in":{"s":"x y"}},"nan":"NaN","a.b*c\\d":1},` +
		`"traceback":"Traceback:\n  line\nError\n","s":"Stack:\n  f","name":"MainProcess","thread":"MainThread","level_number":25}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

// Any members may be left out, and the others stay what they are.
func TestJSONLeavesOutWhatItIsTold(t *testing.T) {
	t.Parallel()
	e := full()
	e.Message = "a\xff"
	l := lineOf(t, e)
	l.Event = "lost"
	var all map[string]any
	if err := json.Unmarshal(NewJSON().Append(nil, l), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != int(memberCount) {
		t.Fatalf("%d members: %v", len(all), all)
	}
	for first := range memberCount {
		for second := range memberCount {
			for what, keep := range map[string]func(m member) bool{
				"all but":  func(m member) bool { return m != first && m != second },
				"only":     func(m member) bool { return m == first || m == second },
				"all from": func(m member) bool { return m >= first },
				"all to":   func(m member) bool { return m <= first },
			} {
				names := map[string]string{}
				want := map[string]any{}
				for m := range memberCount {
					if keep(m) {
						want[plainNames[m]] = all[plainNames[m]]
					} else {
						names[plainNames[m]] = ""
					}
				}
				f := jsonOfFields(t, Fields{Names: names})
				var got map[string]any
				if err := json.Unmarshal(f.Append(nil, l), &got); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%s %s, %s: %v: got %v, want %v", what, plainNames[first], plainNames[second], err, got, want)
				}
			}
		}
	}
	none := map[string]string{}
	for _, name := range plainNames {
		none[name] = ""
	}
	if got := string(jsonOfFields(t, Fields{Names: none}).Append([]byte("before\n"), l)); got != "before\n{}\n" {
		t.Errorf("without any: %q", got)
	}
}

// Lines of one owner share an Origin, in which formatters keep what they can use again.
func TestFormattersOfOneReaderKeepTheirNamesApart(t *testing.T) {
	t.Parallel()
	formatters := map[string]Formatter{
		"plain": NewJSON(), "again": NewJSON(), "ecs": NewECS(), "otel": NewOTel(), "logfmt": NewLogfmt(), "text": textOf(t, "%(id)s %(worker)s"),
		"own":     jsonOfFields(t, Fields{Names: map[string]string{"worker": "pid", "pid": "worker"}}),
		"fewer":   jsonOfFields(t, Fields{Names: map[string]string{"worker": "", "seq": ""}}),
		"without": jsonOfFields(t, Fields{Names: map[string]string{"worker": "", "id": ""}}),
	}
	shared := lineOf(t, full())
	for range 2 {
		for name, f := range formatters {
			if got, want := string(f.Append(nil, shared)), string(f.Append(nil, lineOf(t, full()))); got != want {
				t.Errorf("%s:\ngot  %swant %s", name, got, want)
			}
		}
	}
	// Formatters come and go, as when a configuration is read again; what they leave
	// behind must not grow.
	kept := len(shared.Origin.pieces)
	for range 10 {
		jsonOfFields(t, Fields{Names: map[string]string{"worker": "pid", "pid": "worker", "time": "ts"}}).Append(nil, shared)
	}
	if got := len(shared.Origin.pieces); got != kept {
		t.Errorf("%d pieces, %d before", got, kept)
	}
}

func TestSetsShowTimesBefore1970(t *testing.T) {
	t.Parallel()
	l := lineOf(t, record.Entry{Time: -1})
	var ecs struct {
		Time time.Time `json:"@timestamp"`
	}
	var otel struct{ Timestamp string }
	if err := json.Unmarshal(NewECS().Append(nil, l), &ecs); err != nil || ecs.Time.UnixNano() != -1 {
		t.Errorf("%v, %v", ecs, err)
	}
	if err := json.Unmarshal(NewOTel().Append(nil, l), &otel); err != nil || otel.Timestamp != "-1" {
		t.Errorf("%v, %v", otel, err)
	}
}
