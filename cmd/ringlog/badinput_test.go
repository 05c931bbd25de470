package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// badInput is a path that is no usable ring.
type badInput struct {
	name string
	make func(t *testing.T, path string)
	code int
	text string // in the message
}

// file makes a badInput of a ring's bytes, changed.
func file(name string, code int, text string, change func(b []byte) []byte) badInput {
	return badInput{name, func(t *testing.T, path string) {
		t.Helper()
		if err := ring.Create(path, ring.CreateOptions{Lanes: 2, LaneSize: ring.MinLaneSize}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}, code, text}
}

func badInputs() []badInput {
	random := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(random)
	header := func(change func(b []byte)) func([]byte) []byte {
		return func(b []byte) []byte {
			change(b)
			binary.LittleEndian.PutUint32(b[252:], crc32.ChecksumIEEE(b[:252]))
			return b
		}
	}
	return []badInput{
		file("empty file", 3, "not a ring file", func([]byte) []byte { return nil }),
		file("text file", 3, "not a ring file", func([]byte) []byte { return []byte("2026-11-23 INFO hello\n") }),
		file("zeros", 3, "not a ring file", func([]byte) []byte { return make([]byte, 1<<20) }),
		file("random bytes", 3, "not a ring file", func([]byte) []byte { return random }),
		file("magic alone", 3, "truncated", func(b []byte) []byte { return b[:8] }),
		file("half a ring", 3, "truncated", func(b []byte) []byte { return b[:len(b)/2] }),
		file("ring without its last byte", 3, "truncated", func(b []byte) []byte { return b[:len(b)-1] }),
		file("header byte flipped", 3, "damaged", func(b []byte) []byte { b[90] ^= 4; return b }),
		file("other version", 3, "format version 2", header(func(b []byte) { b[8] = 2 })),
		file("unknown feature", 3, "features", header(func(b []byte) { b[136] = 128 })),
		file("impossible geometry", 3, "geometry", header(func(b []byte) { b[80] = 1 })),
		{"directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, 3, "directory"},
		{"missing", func(*testing.T, string) {}, 3, "no ring at"},
		{"FIFO", func(t *testing.T, path string) {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 3, "not a regular file"},
		{"symbolic link", func(t *testing.T, path string) {
			if err := os.Symlink("/dev/zero", path); err != nil {
				t.Fatal(err)
			}
		}, 3, "symbolic link"},
		{"unreadable", func(t *testing.T, path string) {
			if os.Getuid() == 0 {
				t.Skip("root reads everything")
			}
			if err := os.WriteFile(path, nil, 0); err != nil {
				t.Fatal(err)
			}
		}, 4, "permission"},
	}
}

// sumOf is a checksum of the file at path, or "" if it is not a regular one.
func sumOf(path string) string {
	if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	b, _ := os.ReadFile(path)
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

func TestBadRingsGiveOneClearLineAndStayAsTheyAre(t *testing.T) {
	t.Parallel()
	commands := []string{"ringlog append --ring", "ringlog drain --once --ring", "ringlog stat", "ringdump", "ringdump --all --stats"}
	for _, bad := range badInputs() {
		for _, command := range commands {
			t.Run(bad.name+"/"+command, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "bad.ring")
				bad.make(t, path)
				before := sumOf(path)
				words := strings.Fields(command)
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, words[0], append(words[1:], path)...)
				cmd.Stdin = strings.NewReader("line\n")
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				err := cmd.Run()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != bad.code {
					t.Errorf("%v, want exit code %d", err, bad.code)
				}
				text := stderr.String()
				if !strings.HasPrefix(text, words[0]+": ") || strings.Count(text, "\n") != 1 ||
					!strings.Contains(text, path) || !strings.Contains(text, bad.text) {
					t.Errorf("standard error is %q: want one line that names the file and says %q", text, bad.text)
				}
				if stdout.Len() > 0 {
					t.Errorf("standard output is %q", stdout.String())
				}
				if sumOf(path) != before {
					t.Error("the file was changed")
				}
			})
		}
	}
}
