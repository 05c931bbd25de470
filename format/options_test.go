package format

import (
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

func TestZeroOptionsAreTextInLocalTime(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Name: "text"}} {
		f, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		l := lineOf(t, rich())
		if got, want := string(f.Append(nil, l)), string(NewText(nil).Append(nil, l)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNewKnowsItsFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Name: "text"}, stamp + ` - root - INFO - m`},
		{Options{Name: "text", Layout: `%(message)s`, TimeFormat: `%Y`}, `m`},
		{Options{Name: "logfmt"}, `time=2026-11-23T18:47:01.123456789Z level=INFO logger=root msg=m `},
		{Options{Name: "json"}, `{"time":"2026-`},
		{Options{Name: "json", Fields: Fields{Set: "plain"}}, `{"time":"2026-`},
		{Options{Name: "json", Fields: Fields{Set: "ecs"}}, `{"@timestamp":"2026-`},
		{Options{Name: "json", Fields: Fields{Set: "otel"}}, `{"Timestamp":"1795459621123456789"`},
		{Options{Name: "json", Fields: Fields{Names: map[string]string{"time": "ts"}}}, `{"ts":"2026-`},
		{Options{Name: "json", Fields: Fields{Names: map[string]string{}}}, `{"time":"2026-`},
		{Options{Name: "raw"}, "m\n"},
	} {
		c.options.Location = time.UTC // which all formats take
		f, err := New(c.options)
		if err != nil {
			t.Errorf("%+v: %v", c.options, err)
			continue
		}
		got := string(f.Append(nil, newLine(record.Raw([]byte("m")))))
		if !strings.HasPrefix(got, c.want) || !strings.HasSuffix(got, "\n") {
			t.Errorf("%+v: got %q", c.options, got)
		}
	}
}

func TestNewRefusesWhatDoesNotFitAndSaysWhatDoes(t *testing.T) {
	t.Parallel()
	own := Fields{Names: map[string]string{"time": "ts"}}
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{Name: "xml"}, `format: unknown format "xml": want text, logfmt, json or raw`},
		{Options{Name: "json", Layout: "%(message)s"}, `format: the layout "%(message)s" is for text, not for json`},
		{Options{Name: "json", TimeFormat: "%Y"}, `format: the time format "%Y" is for text, not for json`},
		{Options{Name: "logfmt", Layout: "%(message)s"}, `format: the layout "%(message)s" is for text, not for logfmt`},
		{Options{Name: "raw", TimeFormat: "%Y"}, `format: the time format "%Y" is for text, not for raw`},
		{Options{Fields: Fields{Set: "ecs"}}, `format: the set of names "ecs" is for json, not for text`},
		{Options{Name: "logfmt", Fields: own}, `format: names of members are for json, not for logfmt`},
		{Options{Name: "raw", Fields: own}, `format: names of members are for json, not for raw`},
		{Options{Name: "json", Fields: Fields{Set: "gelf"}}, `format: unknown set of names "gelf": want plain, ecs or otel, or names of one's own`},
		{Options{Name: "json", Fields: Fields{Set: "ecs", Names: own.Names}}, `format: the set of names "ecs" and names of one's own at once: want one of them`},
		{Options{Name: "json", Fields: Fields{Set: "plain", Names: own.Names}}, `format: the set of names "plain" and names of one's own at once: want one of them`},
		{names("mesg", "x"), `format: JSON has no member "mesg": did you mean "msg"? There are ` + allNames},
		{names("leve", "x"), `format: JSON has no member "leve": did you mean "level"? There are ` + allNames},
		{names("zzzzzz", "x"), `format: JSON has no member "zzzzzz": there are ` + allNames},
		{names("", "x"), `format: JSON has no member "": there are ` + allNames},
		{names("msg", "level"), `format: JSON's members level and msg are both named "level": want names that differ, or an empty one to leave a member out`},
		{names("thread", "a", "stack", "a"), `format: JSON's members stack and thread are both named "a": want names that differ, or an empty one to leave a member out`},
		{names("msg", "a\nb"), `format: the name "a\nb" of JSON's member msg has characters that cannot be shown: want another`},
		{names("msg", "\xff"), `format: the name "\xff" of JSON's member msg has characters that cannot be shown: want another`},
		{names("msg", "level", "nobody", "x"), `format: JSON has no member "nobody": there are ` + allNames + "\n" +
			`format: JSON's members level and msg are both named "level": want names that differ, or an empty one to leave a member out`},
	} {
		if _, err := New(c.options); err == nil || err.Error() != c.want {
			t.Errorf("%+v:\ngot  %v\nwant %s", c.options, err, c.want)
		}
	}
	if _, err := New(names("msg", "level", "level", "msg")); err != nil {
		t.Errorf("names that are exchanged: %v", err)
	}
	if _, err := New(names("msg", "", "level", "")); err != nil {
		t.Errorf("two members left out: %v", err)
	}
}

const allNames = "time, level, logger, msg, worker, pid, seq, id, event, msg_base64, " +
	"attrs, source, traceback, stack, process, thread, level_number, level_scale"

// names are options of JSON with these pairs of names.
func names(pairs ...string) Options {
	o := Options{Name: "json", Fields: Fields{Names: map[string]string{}}}
	for i := 0; i < len(pairs); i += 2 {
		o.Fields.Names[pairs[i]] = pairs[i+1]
	}
	return o
}
