package pathtemplate

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// FuzzPathsStayWhereTheTemplateHasThem takes any template and any values.
func FuzzPathsStayWhereTheTemplateHasThem(f *testing.F) {
	for _, text := range []string{"logs/{a}/{b}.log", "{a}-{b}", "../x/{a}", "/{a}.{b}.gz", "{{{a}}}", "C{a}N.{b}", "2026{a}/../{b}", "17.log.{a}T184701.{b}", "{a}\xff{b}"} {
		for _, value := range []string{"17", "", "../../etc/x", "..", "\x00\u202e\xff", "CON", "O", "20261123", "17.log.20261123T184701.123456789Z", strings.Repeat("é/", 100)} {
			f.Add(text, value, "123456789Z")
		}
	}
	f.Fuzz(func(t *testing.T, text, a, b string) {
		tmpl, err := Parse(text)
		if err != nil || strings.ContainsAny(text, "\x01\x02") { // which stand for braces below
			return
		}
		if path, fixed := tmpl.Fixed(); fixed {
			if want := strings.NewReplacer("{{", "{", "}}", "}").Replace(text); path != want {
				t.Fatalf("%q: fixed %q", text, path)
			}
			return
		}
		var words []string
		for i, field := range tmpl.Fields() {
			words = append(words, field, []string{a, b}[i%2])
		}
		path, ok := tmpl.Append(nil, ofAttrs(t, words...))
		if !ok {
			t.Fatalf("%q: no path", text)
		}
		inside(t, text, string(path))
	})
}

// inside checks that path has the folders of text, as far as these do not depend on a
// record, as many elements as text, and in the place of those with fields harmless names.
func inside(t *testing.T, text, path string) {
	t.Helper()
	want, got := strings.Split(text, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		t.Fatalf("%q: %q has other folders", text, path)
	}
	behind := false
	for i, name := range got {
		plain := strings.NewReplacer("{{", "\x01", "}}", "\x02").Replace(want[i])
		if !strings.Contains(plain, "{") {
			if name != strings.NewReplacer("\x01", "{", "\x02", "}").Replace(plain) || behind && name == ".." {
				t.Errorf("%q: %q in %q", text, name, path)
			}
			continue
		}
		behind = true
		harmless(t, text, name)
	}
}

func harmless(t *testing.T, text, name string) {
	t.Helper()
	if name == "" || name[0] == '.' || strings.Contains(name, "\x00") {
		t.Errorf("%q: the name %q", text, name)
	}
	if len(name)+len(".20261123T184701.123456789Z.zst") > 255 {
		t.Errorf("%q: %q has %d bytes", text, name, len(name))
	}
	cut := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	if i := len(cut) - len("20261123T184701.123456789Z"); i > 0 && cut[i-1] == '.' {
		const instant = "20060102T150405.000000000Z"
		if at, err := time.Parse(instant, cut[i:]); err == nil && at.Format(instant) == cut[i:] {
			t.Errorf("%q: %q is that of a rotated file", text, name)
		}
	}
}

// FuzzValuesAreReadBack shows that no two values have one name: what they were can be
// told from it, or for long ones, what hash they have.
func FuzzValuesAreReadBack(f *testing.F) {
	for _, value := range []string{
		"17", "", "%empty", "../../etc/x", ".", "..", "a/b", "%41", "é", "😀", "a\u202eb", "\x00", "\xff", "CON", "con.x", "~", "-", "a-", " ",
		"17.log.20261123T184701.123456789Z", "17.log.20261123T184701.123456789Z.gz", ".17.log.next", strings.Repeat("x", 300), strings.Repeat("x", 83) + "~0123456789abcdef",
	} {
		f.Add(value, "b-"+value)
		f.Add("20261123T184701.123456789Z", value)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		tmpl := parse(t, "logs/{a}/{a}-{b}.gz")
		path := pathOf(t, tmpl, ofAttrs(t, "a", a, "b", b))
		if pathOf(t, tmpl, ofAttrs(t, "x", "y", "b", b, "a", a)) != path {
			t.Fatalf("%q changes", path)
		}
		names := strings.Split(path, "/")
		if len(names) != 3 || names[0] != "logs" || filepath.Clean(path) != path {
			t.Fatalf("%q", path)
		}
		both := strings.TrimSuffix(names[2], ".gz")
		i := strings.LastIndex(both, "-")
		for text, value := range map[string]string{names[1]: a, both[:max(i, 0)]: a, both[i+1:]: b} {
			readsBack(t, text, value)
		}
		for _, name := range names {
			plainlyShown(t, name)
		}
	})
}

func readsBack(t *testing.T, text, value string) {
	t.Helper()
	if text == "%empty" {
		text = ""
	}
	begin, hash, cut := strings.Cut(text, "~")
	got, err := url.PathUnescape(begin)
	if cut {
		if want := hashOf(value); "~"+hash != want || err != nil || !strings.HasPrefix(value, got) || len(value) <= 25 {
			t.Errorf("%q of %q reads back as the begin %q, %v", text, value, got, err)
		}
		return
	}
	if got != value || err != nil {
		t.Errorf("%q of %q reads back as %q, %v", text, value, got, err)
	}
}

// plainlyShown checks that every character of name is seen, takes its place in the
// direction of its script, and can be in a file's name anywhere.
func plainlyShown(t *testing.T, name string) {
	t.Helper()
	invisible := []*unicode.RangeTable{unicode.C, unicode.Z, unicode.Bidi_Control, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point}
	for _, r := range name {
		if r != ' ' && unicode.In(r, invisible...) || strings.ContainsRune("<>:\"|?*\\", r) {
			t.Errorf("%q in the name %q", r, name)
		}
	}
	if !utf8.ValidString(name) {
		t.Errorf("the name %q", name)
	}
	stem, _, _ := strings.Cut(name, ".")
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "COM²"}, strings.ToUpper(stem)) {
		t.Errorf("the name %q is that of a device", name)
	}
}
