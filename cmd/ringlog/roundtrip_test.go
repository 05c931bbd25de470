package main

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatGoesThroughTheRingComesOutByteForByte(t *testing.T) {
	t.Parallel()
	binary := make([]byte, 100_000)
	rand.NewChaCha8([32]byte{7}).Read(binary)
	long := strings.Repeat("x", 200_000) + "\n" // more than one buffer
	for name, input := range map[string]string{
		"empty input":            "",
		"empty lines":            "\n\n\n",
		"carriage returns":       "a\r\nb\r\r\n\r\n",
		"no final newline":       "a\nb",
		"carriage return at end": "a\r",
		"binary bytes":           string(binary),
		"long lines":             long + "short\n" + long,
		"escapes and NUL":        "\x1b[31mred\x00\n\xff\xfe\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.ring")
			run := func(stdin string, args ...string) string {
				t.Helper()
				cmd := exec.Command("ringlog", args...)
				cmd.Stdin = strings.NewReader(stdin)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("ringlog %v: %v: %s", args, err, &stderr)
				}
				return string(out)
			}
			run(input, "append", "--create", "--ring", path)
			got := run("", "drain", "--once", "--format", "raw", "--ring", path)
			want := input
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n" // the drain ends every line
			}
			if got != want {
				t.Errorf("%d bytes came out of %d: %.100q", len(got), len(want), got)
			}
		})
	}
}
