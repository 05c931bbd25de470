package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/upkeep"
)

// commented is a line of the example that is a key, or an output, left out.
var commented = regexp.MustCompile(`(?m)^( *)#([a-z_]+: |- )`)

func TestTheExampleIsValid(t *testing.T) {
	t.Parallel()
	if c := parse(t, string(Example()), Overrides{}); len(c.Outputs) != 3 {
		t.Errorf("%d outputs", len(c.Outputs))
	}
	Example()[0]++
	if Example()[0] != '#' {
		t.Error("who gets the example can change it for others")
	}
}

func TestWhatTheExampleLeavesOutIsValid(t *testing.T) {
	t.Parallel()
	text := string(Example())
	places := commented.FindAllStringSubmatchIndex(text, -1)
	if len(places) < 10 {
		t.Fatalf("%d lines that are left out", len(places))
	}
	for _, p := range places {
		hash := p[3] // the end of the indentation
		if _, err := Parse("example", []byte(text[:hash]+text[hash+1:]), Overrides{}); err != nil {
			t.Error(err)
		}
	}
	parse(t, commented.ReplaceAllString(text, "$1$2"), Overrides{})
}

func TestTheExampleShowsEveryKey(t *testing.T) {
	t.Parallel()
	var shown map[string]any
	if err := yaml.Unmarshal(commented.ReplaceAll(Example(), []byte("$1$2")), &shown); err != nil {
		t.Fatal(err)
	}
	d := decoder{}
	check := func(where string, shown map[string]any, keys []key) {
		var want []string
		for _, k := range keys {
			want = append(want, k.name)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(shown)); !slices.Equal(got, want) {
			t.Errorf("%s: the example has %q, there are %q", where, got, want)
		}
	}
	check("file", shown, d.fileKeys(&file{}))
	defaults := shown["defaults"].(map[string]any)
	check("defaults", defaults, d.settingsKeys(&settings{}))
	check("keep", defaults["keep"].(map[string]any), d.keepKeys(&logfile.Retention{}))
	check("hook", defaults["hook"].(map[string]any), d.hookKeys(&upkeep.Hook{}))
	outputs := map[string]any{}
	for _, o := range shown["outputs"].([]any) {
		maps.Copy(outputs, o.(map[string]any))
		if r, ok := o.(map[string]any)["rotate"].(map[string]any); ok {
			check("rotate", r, d.rotateKeys(&reader.Rotation{}))
		}
	}
	check("outputs", outputs, d.outputKeys(&output{}))
}

// Who adds an option that files should have finds here that they have not.
func TestEveryKeyIsInTheDocument(t *testing.T) {
	t.Parallel()
	doc := document(t)
	d := decoder{}
	for _, keys := range [][]key{
		d.fileKeys(&file{}), d.outputKeys(&output{}), d.rotateKeys(&reader.Rotation{}), d.keepKeys(&logfile.Retention{}), d.hookKeys(&upkeep.Hook{}),
	} {
		for _, k := range keys {
			if !strings.Contains(doc, "`"+k.name+"`") {
				t.Errorf("the document has no `%s`", k.name)
			}
		}
	}
}

func TestTheDocumentHasTheExample(t *testing.T) {
	t.Parallel()
	if !strings.Contains(document(t), "```yaml\n"+string(Example())+"```\n") {
		t.Error("docs/config.md does not have the text of config/example.yaml")
	}
}

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
