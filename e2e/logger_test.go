package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

var crowdLoggers = []string{"app", "orders", "trades"}

const crowdGoroutines = 8

// crowd label n: eight goroutines log n records each, in turn to three loggers, one
// half through slog.
func crowd(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	w, err := writer.Attach(writer.Options{Label: args[0], Timeout: patience})
	if err != nil {
		return err
	}
	errs := make([]error, crowdGoroutines)
	var wg sync.WaitGroup
	for g := range crowdGoroutines {
		wg.Go(func() { errs[g] = crowdMember(g, n) })
	}
	wg.Wait()
	return errors.Join(append(errs, w.Close())...)
}

func crowdMember(g, n int) error {
	ctx := writer.WithTrial(context.Background(), "crowd", g)
	var loggers []*writer.NamedLogger
	var handlers []slog.Handler
	for _, name := range crowdLoggers {
		loggers = append(loggers, writer.Logger(name).Trial("crowd", g))
		handlers = append(handlers, writer.NewHandler(nil, writer.HandlerOptions{Logger: name}))
	}
	for i := range n {
		at, attrs := i%len(crowdLoggers), []slog.Attr{slog.Int("i", i), slog.Float64("price", float64(i)/4), slog.String("side", "buy")}
		if g%2 == 0 {
			if err := loggers[at].Log(slog.LevelInfo, "filled", attrs...); err != nil {
				return err
			}
			continue
		}
		r := slog.NewRecord(time.Now(), slog.LevelInfo, "filled", 0)
		r.AddAttrs(attrs...)
		if err := handlers[at].Handle(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func TestAMillionRecordsOfFourProcessesReachTheirThreeFilesInEachGoroutinesOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "crowd.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 4, LaneSize: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	const workers = 4
	each := rounds(1_000_000/workers/crowdGoroutines, 300)
	var outputs []reader.Output
	for _, name := range crowdLoggers {
		outputs = append(outputs, reader.Output{Path: filepath.Join(dir, name+".jsonl"), Loggers: []string{name}, Format: format.Options{Name: "json"}})
	}
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: outputs}))
	r.line(t) // it drains, and so SIGTERM makes it drain to the end
	var processes []*process
	for i := range workers {
		p := command("crowd", fmt.Sprint("worker-", i), fmt.Sprint(each))
		p.Env = append(p.Env, writer.RingVariable+"="+path)
		p.start(t)
		processes = append(processes, p)
	}
	for _, p := range processes {
		p.finish(t)
	}
	r.signal(t, syscall.SIGTERM)
	r.finish(t)
	total := 0
	for at, name := range crowdLoggers {
		n := judgeCrowd(t, filepath.Join(dir, name+".jsonl"), at)
		if want := workers * crowdGoroutines * ((each - at + 2) / 3); n != want {
			t.Errorf("%s has %d lines, want %d", name, n, want)
		}
		total += n
	}
	t.Logf("%d records", total)
}

// judgeCrowd checks one of the files: of each goroutine it has every third record,
// beginning with number at, in order and whole.
func judgeCrowd(t *testing.T, path string, at int) (lines int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type member struct {
		worker string
		g      int
	}
	next := map[member]int{}
	for d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; lines++ {
		var l struct {
			Logger, Msg, Worker string
			Attrs               struct {
				Study, Side string
				Trial, I    int
				Price       float64
			}
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		m := member{l.Worker, l.Attrs.Trial}
		want, begun := next[m]
		if !begun {
			want = at
		}
		a := l.Attrs
		if a.I != want || a.Price != float64(a.I)/4 || a.Side != "buy" || a.Study != "crowd" || l.Msg != "filled" || l.Logger != crowdLoggers[at] {
			t.Fatalf("%s: %+v, where record %d was to come", path, l, want)
		}
		next[m] = want + 3
	}
}

// jsonOf is what a JSON output has for each kind of value: see docs/operations.md.
func jsonOf(v slog.Value) any {
	switch v.Kind() {
	case slog.KindGroup:
		m := map[string]any{}
		for _, a := range v.Group() {
			if in, ok := jsonOf(a.Value).(map[string]any); ok && a.Key == "" {
				for k, v := range in {
					m[k] = v
				}
				continue
			}
			m[a.Key] = jsonOf(a.Value)
		}
		return m
	case slog.KindFloat64:
		f := v.Float64()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return map[bool]string{true: "NaN"}[math.IsNaN(f)] + map[bool]string{true: "+Inf"}[f > math.MaxFloat64] + map[bool]string{true: "-Inf"}[f < -math.MaxFloat64]
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	case slog.KindInt64, slog.KindUint64:
		return json.Number(v.String())
	case slog.KindDuration:
		return json.Number(strconv.FormatInt(int64(v.Duration()), 10))
	case slog.KindBool:
		return v.Bool()
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case slog.KindString:
		if s := v.String(); s != strings.ToValidUTF8(s, "") {
			b, _ := json.Marshal([]byte(s))
			return map[string]any{"base64": strings.Trim(string(b), `"`)}
		}
		return v.String()
	}
	switch v := v.Any().(type) {
	case []byte:
		b, _ := json.Marshal(v)
		return strings.Trim(string(b), `"`)
	case error:
		return v.Error()
	}
	return fmt.Sprintf("%+v", v.Any())
}

func TestAttributesOfEveryTypeReadBackFromJSONAsTheyWereLogged(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -(3*3600 + 1800))
	attrs := []slog.Attr{
		slog.Bool("yes", true), slog.Bool("no", false),
		slog.Int64("least int", math.MinInt64), slog.Int64("largest int", math.MaxInt64), slog.Uint64("largest uint", math.MaxUint64),
		slog.Float64("pi", math.Pi), slog.Float64("smallest", math.SmallestNonzeroFloat64), slog.Float64("largest", math.MaxFloat64), slog.Float64("minus zero", math.Copysign(0, -1)),
		slog.Float64("not a number", math.NaN()), slog.Float64("infinite", math.Inf(1)), slog.Float64("minus infinite", math.Inf(-1)),
		slog.Duration("shortest", math.MinInt64), slog.Duration("some", 1500*time.Millisecond),
		slog.Time("then", time.Date(2026, 11, 23, 18, 47, 1, 123456789, zone)), slog.Time("never", time.Time{}),
		slog.String("empty", ""), slog.String("text", "naïve ☃ 😀"), slog.String("control", "a\nb\x1b[31m\x00\u2028\u202e"), slog.String("quoted", `"\<>&`), slog.String("not UTF-8", "a\xff\xfeb"),
		slog.Any("bytes", []byte{0, 1, 255}), slog.Any("error", errors.New("broken")), slog.Any("struct", struct{ A, B int }{1, 2}), slog.Any("nil", nil),
		slog.String("", "no key"), slog.String("time", "mine"), slog.Int("level", 99), slog.String("msg", "mine too"), slog.String("logger", "x"), slog.String("worker", "y"), slog.String("event", "lost"),
		slog.String("key\n\x00\"", "hostile key"),
		slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.String("b", "c"), slog.Float64("nan", math.NaN())), slog.Group("", slog.Int("inlined", 2))),
		slog.Group("empty group"),
	}
	want := jsonOf(slog.GroupValue(attrs...)).(map[string]any)
	delete(want, "empty group") // slog's rule

	dir := t.TempDir()
	path, out := newRing(t, 2), filepath.Join(dir, "out.jsonl")
	w, err := writer.Open(path, writer.Options{Label: "typed"})
	if err != nil {
		t.Fatal(err)
	}
	message := "message\n2026-11-23 18:47:01,123 - root - CRITICAL - forged\x1b[2J"
	w.Logger("app").Info(message, attrs...)
	slog.New(writer.NewHandler(w, writer.HandlerOptions{Logger: "app"})).LogAttrs(context.Background(), slog.LevelInfo, message, attrs...)
	slog.New(writer.NewHandler(w, writer.HandlerOptions{Logger: "app"}).WithAttrs(attrs)).Info(message)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := reader.Open(path, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}}}, Until: reader.UntilEmpty})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Run(context.Background()), r.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), b)
	}
	for _, b := range lines {
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var l struct {
			Level, Logger, Msg, Worker string
			Attrs                      map[string]any
		}
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.Level != "INFO" || l.Logger != "app" || l.Msg != message || l.Worker != "typed" {
			t.Errorf("%+v", l)
		}
		for key, v := range want {
			if got := l.Attrs[key]; !sameJSON(got, v) {
				t.Errorf("%q: got %v (%T), want %v", key, got, got, v)
			}
		}
		if len(l.Attrs) != len(want) {
			t.Errorf("%d attributes, want %d", len(l.Attrs), len(want))
		}
	}
}

// sameJSON compares decoded JSON; numbers by their exact value.
func sameJSON(a, b any) bool {
	n, ok := a.(json.Number)
	if !ok {
		return reflect.DeepEqual(a, b)
	}
	m, ok := b.(json.Number)
	if !ok {
		return false
	}
	if strings.ContainsAny(string(m), ".eE") || m == "-0" {
		x, err1 := n.Float64()
		y, err2 := m.Float64()
		return err1 == nil && err2 == nil && math.Float64bits(x) == math.Float64bits(y)
	}
	return n == m
}

// levels ring: for each line that it reads, logs one record at each level, and says
// when that is done.
func levels([]string) error {
	w, err := writer.Attach(writer.Options{Label: "levels"})
	if err != nil {
		return err
	}
	fx, app := writer.Logger("trades.fx"), slog.New(writer.NewHandler(nil, writer.HandlerOptions{Logger: "app"}))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
			if err := fx.Log(level, in.Text()); err != nil {
				return err
			}
			app.Log(context.Background(), level, in.Text())
		}
		fmt.Println("done")
	}
	return w.Close()
}

// A rule holds from the next record on: there is nothing to wait for.
func TestARuleForLevelsHoldsInARunningWorkerFromItsNextRecord(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), filepath.Join(t.TempDir(), "out.jsonl")
	p := command("levels")
	p.Env = append(p.Env, writer.RingVariable+"="+path)
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	rules := [][]ring.LevelRule{
		nil,
		{{Prefix: "trades", Level: int16(record.LevelDebug)}},
		{{Prefix: "", Level: int16(record.LevelWarning)}, {Prefix: "trades.fx", Level: int16(record.LevelCritical)}},
		nil,
	}
	for i, r := range rules {
		if err := ring.SetLevels(path, func([]ring.LevelRule) []ring.LevelRule { return r }); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(stdin, i)
		p.line(t)
	}
	stdin.Close()
	p.finish(t)
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}}}, Until: reader.UntilEmpty}))
	r.finish(t)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		var l struct{ Level, Logger, Msg string }
		if err := json.Unmarshal(b, &l); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(l.Msg, " ", l.Logger, " ", l.Level))
	}
	want := []string{
		"0 trades.fx INFO", "0 app INFO", "0 trades.fx WARNING", "0 app WARNING",
		"1 trades.fx DEBUG", "1 trades.fx INFO", "1 app INFO", "1 trades.fx WARNING", "1 app WARNING",
		"2 app WARNING",
		"3 trades.fx INFO", "3 app INFO", "3 trades.fx WARNING", "3 app WARNING",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
