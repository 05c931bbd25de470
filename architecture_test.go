// Package ringlog_test holds the documents against the code.
package ringlog_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ringlog/ringlog/"

// imports is what the packages of this module import: of the module itself, in
// code other than tests, and of other modules, in all code.
type imports struct{ own, foreign map[string][]string }

// readImports parses every Go file whatever its build tags say, so that the graph
// is that of all systems.
func readImports(t *testing.T) imports {
	t.Helper()
	im := imports{map[string][]string{}, map[string][]string{}}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (d.Name()[0] == '.' || d.Name() == "testdata" || isModule(path)):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg, test := filepath.Dir(path), strings.HasSuffix(path, "_test.go")
		if _, known := im.own[pkg]; !known && !test {
			im.own[pkg] = nil // a package, whatever it imports
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(name, module); ok {
				if !test {
					im.own[pkg] = append(im.own[pkg], own)
				}
			} else if host, _, _ := strings.Cut(name, "/"); strings.Contains(host, ".") {
				im.foreign[name] = append(im.foreign[name], pkg)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []map[string][]string{im.own, im.foreign} {
		for k, v := range m {
			m[k] = unique(v)
		}
	}
	return im
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func unique(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPackagesDependOnlyOnWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	code := readImports(t).own
	block := regexp.MustCompile("(?s)```deps\n(.*?)```").FindStringSubmatch(read(t, "docs/architecture.md"))
	if block == nil {
		t.Fatal("docs/architecture.md has no block of deps")
	}
	above := map[string]bool{}
	for line := range strings.Lines(block[1]) {
		pkg, rest, ok := strings.Cut(line, "→")
		if !ok {
			t.Fatalf("%q: want a package, an arrow, and what it imports", line)
		}
		pkg = strings.TrimSpace(pkg)
		documented := unique(strings.Fields(rest))
		if _, ok := code[pkg]; !ok {
			t.Errorf("%s is in the document and not in the code", pkg)
		} else if !slices.Equal(code[pkg], documented) {
			t.Errorf("%s imports %q, the document says %q", pkg, code[pkg], documented)
		}
		for _, dep := range documented {
			if !above[dep] {
				t.Errorf("%s imports %s, which does not stand above it", pkg, dep)
			}
		}
		above[pkg] = true
	}
	for pkg := range code {
		if !above[pkg] {
			t.Errorf("%s is in the code and not in the document", pkg)
		}
	}
}

func TestEveryDependencyIsDocumentedWithWhoUsesIt(t *testing.T) {
	t.Parallel()
	documented := map[string][]string{}
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+\\.[^`]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(read(t, "docs/architecture.md"), -1)
	for _, row := range rows {
		documented[row[1]] = unique(strings.Fields(row[2]))
	}
	code := map[string][]string{}
	for name, users := range readImports(t).foreign {
		modules := slices.DeleteFunc(slices.Sorted(maps.Keys(documented)), func(m string) bool {
			return name != m && !strings.HasPrefix(name, m+"/")
		})
		if len(modules) == 0 {
			t.Errorf("%s, used by %q, is not in the document", name, users)
			continue
		}
		code[modules[0]] = append(code[modules[0]], users...)
	}
	for name, users := range documented {
		if got := unique(code[name]); !slices.Equal(got, users) {
			t.Errorf("%s is used by %q, the document says %q", name, got, users)
		}
	}
}

// A document that names a test which is gone promises what nobody shows.
func TestEveryTestThatADocumentNamesExists(t *testing.T) {
	t.Parallel()
	code := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, f := range regexp.MustCompile(`(?m)^func (\w+)\(`).FindAllSubmatch(b, -1) {
			code[string(f[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range documents(t) {
		for _, name := range regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(read(t, doc), -1) {
			if !code[name] {
				t.Errorf("%s names %s, which does not exist", doc, name)
			}
		}
	}
}

// A reader of the promises goes on to the test that shows one of them.
func TestEveryTestInTheGuaranteesIsLinkedToItsFile(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/guarantees.md")
	links := regexp.MustCompile("\\[`((?:Test|Fuzz)\\w+)`\\]\\(\\.\\./([^)]+)\\)").FindAllStringSubmatch(text, -1)
	if named := regexp.MustCompile("`(?:Test|Fuzz)[A-Z]\\w+`").FindAllString(text, -1); len(links) == 0 || len(named) != len(links) {
		t.Errorf("%d tests are named, %d linked", len(named), len(links))
	}
	for _, l := range links {
		if !strings.Contains(read(t, l[2]), "func "+l[1]+"(") {
			t.Errorf("%s has no %s", l[2], l[1])
		}
	}
}

func TestOperationsHasTheExitCodesOfTheCommandsHelp(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| ([0-9]+\+?) \| (.*) \|$`)
	var documented strings.Builder
	for _, m := range row.FindAllStringSubmatch(read(t, "docs/operations.md"), -1) {
		fmt.Fprintf(&documented, "  %-4s %s\n", m[1], m[2])
	}
	if !strings.Contains(read(t, "cmd/internal/cli/exit.go"), "Exit codes:\n"+documented.String()+"`") {
		t.Errorf("the commands' help does not have\n%s", documented.String())
	}
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, doc := range documents(t) {
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(read(t, doc), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), link[1])); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	return append(docs, "README.md")
}
