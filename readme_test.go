package ringlog_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// blocks returns the README's code blocks in a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(read(t, "README.md"), -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatalf("README.md has no block of %s", language)
	}
	return found
}

func TestGoInTheReadmeIsTheExamplesCode(t *testing.T) {
	t.Parallel()
	code := read(t, "example_test.go")
	for _, block := range blocks(t, "go") {
		indented := regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(block, "\t$1")
		if !strings.Contains(code, indented) {
			t.Errorf("example_test.go does not have:\n%s", indented)
		}
	}
}

// TestCommandsInTheReadmePrintWhatItSays runs the commands of all console blocks,
// in one shell, and compares what they print, but for numbers.
func TestCommandsInTheReadmePrintWhatItSays(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the commands")
	}
	var script, want strings.Builder
	script.WriteString("exec 2>&1\n")
	for _, m := range regexp.MustCompile(`(?m)^\$ (.*\n(?:> .*\n)*)|^.*\n`).FindAllStringSubmatch(strings.Join(blocks(t, "console"), ""), -1) {
		want.WriteString(m[0])
		if m[1] != "" { // a command, which may go on behind "> "
			fmt.Fprintf(&script, "printf '%%s' %s\n%s", quote(m[0]), strings.ReplaceAll(m[1], "\n> ", "\n"))
		}
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shell := exec.Command("sh", "-e", "-c", script.String())
	shell.Dir = t.TempDir()
	shell.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "RINGLOG_RING=")
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if got, want := withoutNumbers(strings.ReplaceAll(string(out), shell.Dir, "/home/you")), withoutNumbers(want.String()); got != want {
		t.Errorf("the commands print\n%s\nthe README says\n%s", got, want)
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// withoutNumbers makes times, rates and the like equal; and what is said of the file
// system under the test, or of rings that others have left in memory, is not the README's.
func withoutNumbers(s string) string {
	s = regexp.MustCompile(`(?m)^ringlog: (.* lies on|left over from earlier runs:) .*\n`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`[0-9][0-9.,]*[0-9µnmk]*s?\b`).ReplaceAllString(s, "0")
	return s
}
