package pathtemplate

import (
	"slices"
	"strings"
	"testing"
)

func TestAPathWithoutFieldsIsFixedAndItsBracesAreSingle(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		"-":                      "-",
		"logs/app.log":           "logs/app.log",
		"logs/{{a}}.log":         "logs/{a}.log",
		"{{{{/}}}}":              "{{/}}",
		"../.x/..":               "../.x/..",
		"logs/":                  "logs/",
		"/a//b\xff":              "/a//b\xff",
		strings.Repeat("a", 999): strings.Repeat("a", 999),
	} {
		tmpl := parse(t, text)
		path, fixed := tmpl.Fixed()
		if !fixed || path != want || len(tmpl.Fields()) != 0 {
			t.Errorf("%q: %q, %v, fields %q", text, path, fixed, tmpl.Fields())
		}
		if got := pathOf(t, tmpl, ofAttrs(t)); got != want {
			t.Errorf("%q: appended %q", text, got)
		}
	}
}

func TestFieldsAreNamedOnceInTheirOrder(t *testing.T) {
	t.Parallel()
	tmpl := parse(t, "../{{x}}/{study}/{logger}-{study}.{trial id}/{pid}/a.log")
	if path, fixed := tmpl.Fixed(); fixed || path != "" {
		t.Errorf("fixed: %q", path)
	}
	if got, want := tmpl.Fields(), []string{"study", "logger", "trial id", "pid"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	const want = "../{x}/s/root-s.7/4711/a.log"
	if got := pathOf(t, tmpl, ofAttrs(t, "trial id", "7", "study", "s")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseNamesTheTextThePlaceAndWhatIsAccepted(t *testing.T) {
	t.Parallel()
	const apart = "put a character between them that is no letter or digit, such as -, or a slash"
	const name = ": a field is a name alone, without blanks around it, and has no /, : or control character"
	for text, say := range map[string]string{
		"logs/{trial.log":                     `path "logs/{trial.log", character 6: { without }`,
		"logs/trial}.log":                     `path "logs/trial}.log", character 11: } without {`,
		"é/{":                                 `path "é/{", character 3: { without }`,
		"{a{b}}":                              `path "{a{b}}", character 1: { without }`,
		"{a}}":                                `path "{a}}", character 4: } without {`,
		"{}":                                  `path "{}", character 1: a field without a name`,
		"{ a}":                                `path "{ a}", character 1: a field named " a"` + name,
		"{trial:04d}":                         `path "{trial:04d}", character 1: a field named "trial:04d"` + name,
		"{a/b}":                               `path "{a/b}", character 1: a field named "a/b"` + name,
		"{a\n}":                               `path "{a\n}", character 1: a field named "a\n"` + name,
		"{a\xff}":                             `path "{a\xff}", character 1: a field named "a\xff"` + name,
		"{a}{b}":                              `path "{a}{b}", character 4: nothing that tells {a} and {b} apart: ` + apart,
		"x/{a}é9~%{b}":                        `path "x/{a}é9~%{b}", character 10: nothing that tells {a} and {b} apart: ` + apart,
		"{a}/../b":                            `path "{a}/../b", character 5: .. behind a field, where it leads depends on the record`,
		"{a}/..":                              `path "{a}/..", character 5: .. behind a field, where it leads depends on the record`,
		"a/.{b}":                              `path "a/.{b}", character 7: a name with fields that begins with a dot, as those of ringlog's temporary files do`,
		".{b}/a":                              `path ".{b}/a", character 5: a name with fields that begins with a dot, as those of ringlog's temporary files do`,
		"logs/{a}/":                           `path "logs/{a}/", character 10: a folder, without the name of a file in it`,
		"logs/{a}/.":                          `path "logs/{a}/.", character 11: a folder, without the name of a file in it`,
		"a\x00":                               `path "a\x00", character 2: no path has a NUL character`,
		"{a}-{b}-{c}-{d}-{e}-{f}-{g}-{h}-{i}": `path "{a}-{b}-{c}-{d}-{e}-{f}-{g}-{h}-{i}", character 36: a name with too many fields, or too much around them: of 224 bytes 210 are left for the values of 9 fields, each of which needs 25`,

		"{a}.20261123T184701.123456789Z":    `path "{a}.20261123T184701.123456789Z", character 31: a name that ends as those of rotated files do`,
		"{a}.20261123T184701.123456789Z.gz": `path "{a}.20261123T184701.123456789Z.gz", character 34: a name that ends as those of rotated files do`,
	} {
		if _, err := Parse(text); err == nil || err.Error() != say+want {
			t.Errorf("%q: %v\nwant %s%s", text, err, say, want)
		}
	}
	if _, err := Parse("{a}" + strings.Repeat("/{a}", 41)); err == nil || !strings.Contains(err.Error(), "paths of up to 4493 bytes, and there is room for 4064") {
		t.Errorf("a path that may be too long: %v", err)
	}
	if _, err := Parse("{a}" + strings.Repeat("x", 194)); err == nil || !strings.Contains(err.Error(), "of 224 bytes 24 are left") {
		t.Errorf("a name that may be too long: %v", err)
	}
	if _, err := Parse("{a}" + strings.Repeat("x", 193)); err != nil {
		t.Error(err)
	}
}
