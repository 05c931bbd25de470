package selector

import (
	"reflect"
	"testing"
)

func TestParseReadsEveryForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Selector{
		"orders":                     {Loggers: []string{"orders"}},
		"orders.fx":                  {Loggers: []string{"orders.fx"}},
		"{study=wf,trial=17}":        {Attrs: []Attr{{"study", "wf"}, {"trial", "17"}}},
		"orders{ trial = 17 }":       {Loggers: []string{"orders"}, Attrs: []Attr{{"trial", "17"}}},
		`"a/b=c"{k=v}`:               {Loggers: []string{"a/b=c"}, Attrs: []Attr{{"k", "v"}}},
		`{"a,b"="c}","d\t"="\"é\""}`: {Attrs: []Attr{{"a,b", "c}"}, {"d\t", `"é"`}}},
		"{k=/a/b:c d}":               {Attrs: []Attr{{"k", "/a/b:c d"}}},
		`{""=}`:                      {Attrs: []Attr{{"", ""}}},
	} {
		if got, err := Parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestParseRefusesWhatIsNoSelector(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":          "selector: it is empty: want LOGGER, {key=value,…} or LOGGER{key=value,…}",
		`""`:        "selector: it is empty: want LOGGER, {key=value,…} or LOGGER{key=value,…}",
		"{}":        `selector: want key=value in the braces, not "}"`,
		"{k}":       `selector: want key=value in the braces, not "k}"`,
		"{ =v}":     `selector: want key=value in the braces, not " =v}"`,
		"{k=v,}":    `selector: want key=value in the braces, not "}"`,
		"{k=v":      `selector: want , or } after k=v, not ""; a value with one of {}=," in it is to be quoted`,
		"{k=a=b}":   `selector: want , or } after k=a, not "=b}"; a value with one of {}=," in it is to be quoted`,
		`{k="v}`:    `selector: "v}: want the closing quote, and escapes as in Go`,
		`{k="\q"}`:  `selector: "\q"}: want the closing quote, and escapes as in Go`,
		"{k=v}x":    `selector: "x" follows it: want LOGGER, {key=value,…} or LOGGER{key=value,…}`,
		"orders=x":  `selector: "=x" follows it: want LOGGER, {key=value,…} or LOGGER{key=value,…}`,
		"{k=v}=out": `selector: "=out" follows it: want LOGGER, {key=value,…} or LOGGER{key=value,…}`,
	} {
		if s, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
}

func TestParseOutputTellsSelectorsFromPaths(t *testing.T) {
	t.Parallel()
	trial := Selector{Attrs: []Attr{{"trial", "17"}}}
	for text, want := range map[string]struct {
		s    Selector
		path string
	}{
		"app.log":                {path: "app.log"},
		"-":                      {path: "-"},
		"":                       {},
		"./a=b.log":              {path: "./a=b.log"},
		"logs/{trial=17}.log":    {path: "logs/{trial=17}.log"},
		"=a.log":                 {path: "=a.log"},
		"trades=t.log":           {Selector{Loggers: []string{"trades"}}, "t.log"},
		"trades=a=b.log":         {Selector{Loggers: []string{"trades"}}, "a=b.log"},
		"trades=":                {Selector{Loggers: []string{"trades"}}, ""},
		"trades=-":               {Selector{Loggers: []string{"trades"}}, "-"},
		"{trial=17}=logs/17.log": {trial, "logs/17.log"},
		`{"trial"="17"}=x{y}`:    {trial, "x{y}"},
		`"a/b"=x`:                {Selector{Loggers: []string{"a/b"}}, "x"},
	} {
		s, path, err := ParseOutput(text)
		if err != nil || path != want.path || !reflect.DeepEqual(s, want.s) {
			t.Errorf("%s: %+v, %q, %v", text, s, path, err)
		}
	}
	for text, want := range map[string]string{
		"{trial=17}":     `selector: want =PATH after {trial=17}, not ""; what has one of {}=," in it is to be quoted, or if it is the path, to be written as ./{trial=17}`,
		"run{1}.log":     `selector: want key=value in the braces, not "1}.log"`,
		`{trial="17}=x`:  `selector: "17}=x: want the closing quote, and escapes as in Go; a path that begins with a field is to be written as ./{trial="17}=x`,
		"{trial=17}.log": `selector: want =PATH after {trial=17}, not ".log"; what has one of {}=," in it is to be quoted, or if it is the path, to be written as ./{trial=17}.log`,
		"a,b=c.log":      `selector: want =PATH after a, not ",b=c.log"; what has one of {}=," in it is to be quoted, or if it is the path, to be written as ./a,b=c.log`,
	} {
		if s, path, err := ParseOutput(text); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %q, %v", text, s, path, err)
		}
	}
}

// What Parse accepts wants something, and nothing makes it panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"orders", "{k=v}", `a{"k"="v", x=}=p`, `{"`, "{k=v,", `"\xff"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := Parse(text); err == nil && s.Empty() {
			t.Errorf("%q: an empty selector", text)
		}
		_, _, _ = ParseOutput(text)
	})
}
