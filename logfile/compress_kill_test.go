//go:build linux

package logfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// compressAndTell says a byte whenever it looks whether it should go on.
func compressAndTell(backup, kind string) int {
	c, err := ParseCompression(kind)
	if err == nil {
		_, err = Compress(&spy{Context: context.Background(), look: func() error {
			_, err := os.Stdout.Write([]byte{'.'})
			return err
		}}, backup, c)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

// wantKept fails unless there is the whole file, or a whole archive, after a Compress
// was killed. It reports whether a temporary is there, too.
func wantKept(t *testing.T, backup string, content []byte) (temporary bool) {
	t.Helper()
	for _, name := range names(t, filepath.Dir(backup)) {
		name = filepath.Join(filepath.Dir(backup), name)
		temporary = temporary || name == archiveTemp(backup)
	}
	if there, err := os.ReadFile(backup); err == nil {
		if !bytes.Equal(there, content) {
			t.Fatalf("the file has %d bytes, not its %d", len(there), len(content))
		}
		return temporary
	}
	for _, suffix := range suffixes {
		if there, err := decompressed(backup + suffix); err == nil && bytes.Equal(there, content) {
			return temporary
		}
	}
	t.Fatalf("neither the file nor a whole archive is there: %q", names(t, filepath.Dir(backup)))
	return temporary
}

// wantFinished fails unless those that come next leave nothing but one whole archive.
func wantFinished(t *testing.T, backup string, c Compression, content []byte) {
	t.Helper()
	path, _ := outputOf(backup)
	check(t, Tidy(path))
	if slices.Contains(names(t, filepath.Dir(backup)), filepath.Base(archiveTemp(backup))) {
		t.Fatal("the temporary is still there")
	}
	archive := must[string](t)(Compress(t.Context(), backup, c))
	wantNames(t, path, archive)
	wantArchive(t, archive, content)
}

func TestCompressingProcessKilledAnywhereLeavesAWholeFileOrAWholeArchive(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	content := append(logText(4<<20), noise(2<<20)...)
	inTheMiddle, rounds := 0, 24
	if testing.Short() {
		rounds = 6
	}
	for round := range rounds {
		c := kinds[round%2]
		path := filepath.Join(t.TempDir(), "app.log")
		backup := setAside(t, path, noon, "", string(content))
		for range 1 + rng.IntN(3) { // the next one is killed, too
			cmd := child(t, "compress-"+c.String(), backup)
			stdout := must[io.ReadCloser](t)(cmd.StdoutPipe())
			check(t, cmd.Start())
			_, err := io.ReadFull(stdout, make([]byte, 1+rng.IntN(64)))
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			check(t, cmd.Process.Kill())
			_ = cmd.Wait() // says that it was killed, if it was
			if wantKept(t, backup, content) {
				inTheMiddle++
			}
		}
		wantFinished(t, backup, c, content)
	}
	if inTheMiddle == 0 {
		t.Error("none of them died with a part of the archive written")
	}
	t.Logf("%d died with a part of the archive written", inTheMiddle)
}
