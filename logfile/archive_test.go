//go:build linux

package logfile

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

var kinds = []Compression{Gzip, Zstd}

// logText is so many bytes that look like a log.
func logText(n int) []byte {
	var b bytes.Buffer
	for x := uint32(1); b.Len() < n; {
		x = x*1664525 + 1013904223
		b.WriteString("2026-11-23 18:47:01,123 - orders.fx - INFO - filled order " +
			string([]byte{'a' + byte(x>>28), '0' + byte(x>>24&7), '0' + byte(x>>20&7)}) + "\n")
	}
	return b.Bytes()[:n]
}

// decompressed is what an archive has in it, by other means than the code's own.
func decompressed(archive string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if filepath.Ext(archive) == ".gz" {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(z)
}

// compressed is content as an archive.
func compressed(t *testing.T, c Compression, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := must[io.WriteCloser](t)(c.writer(&b))
	must[int](t)(w.Write(content))
	check(t, w.Close())
	return b.Bytes()
}

func wantArchive(t *testing.T, archive string, content []byte) {
	t.Helper()
	if got := must[[]byte](t)(decompressed(archive)); !bytes.Equal(got, content) {
		t.Fatalf("%s has %.100q (%d bytes), want %.100q (%d bytes)", archive, got, len(got), content, len(content))
	}
}

func TestArchivesAreReadByTheUsualTools(t *testing.T) {
	t.Parallel()
	for c, tool := range map[Compression]string{Gzip: "gzip", Zstd: "zstd"} {
		for _, content := range [][]byte{{}, logText(1 << 20)} {
			if _, err := exec.LookPath(tool); err != nil {
				t.Logf("NOT TESTED: %v", err)
				continue
			}
			path := filepath.Join(t.TempDir(), "app.log")
			archive := must[string](t)(Compress(t.Context(), setAside(t, path, noon, "", string(content)), c))
			got, err := exec.Command(tool, "-dc", archive).Output()
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: %v, and %d bytes, want %d", tool, err, len(got), len(content))
			}
		}
	}
}

func TestAnArchiveThatIsThereServesIfItIsWholeAndElseIsReplaced(t *testing.T) {
	t.Parallel()
	content := logText(300 << 10)
	for _, c := range kinds {
		whole := compressed(t, c, content)
		for name, there := range map[string][]byte{
			"whole":                        whole,
			"nothing":                      {},
			"cut short":                    whole[:len(whole)-1],
			"half":                         whole[:len(whole)/2],
			"of the beginning":             compressed(t, c, content[:len(content)-1]),
			"of more":                      compressed(t, c, append(bytes.Clone(content), 'x')),
			"of other bytes":               compressed(t, c, bytes.Replace(content, []byte("fx"), []byte("fy"), 1)),
			"with a byte flipped":          flipped(whole, len(whole)/2),
			"with its checksum flipped":    flipped(whole, len(whole)-5*int(Zstd-c)-1),
			"with something behind":        append(bytes.Clone(whole), "junk"...),
			"no archive at all":            content,
			"an archive of the other form": compressed(t, c.other(), content),
			"whole, in two parts":          append(compressed(t, c, content[:1000]), compressed(t, c, content[1000:])...),
			"of nothing":                   compressed(t, c, nil),
		} {
			for _, asked := range kinds {
				t.Run(asked.String()+" where there is one by "+c.String()+", "+name, func(t *testing.T) {
					t.Parallel()
					path := filepath.Join(t.TempDir(), "app.log")
					backup := setAside(t, path, noon, "", string(content))
					setAside(t, path, noon, suffixes[c], string(there))
					archive := must[string](t)(Compress(t.Context(), backup, asked))
					wantNames(t, path, archive)
					wantArchive(t, archive, content)
					kept := strings.HasPrefix(name, "whole")
					if want := map[bool]Compression{true: c, false: asked}[kept]; archive != backup+suffixes[want] {
						t.Errorf("the archive is %s", archive)
					}
					if got := must[[]byte](t)(os.ReadFile(archive)); kept && !bytes.Equal(got, there) {
						t.Error("the archive that was there was made again")
					}
				})
			}
		}
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x10
	return b
}

func TestNothingIsNoArchiveOfAnEmptyFile(t *testing.T) {
	t.Parallel()
	for _, c := range kinds {
		path := filepath.Join(t.TempDir(), "app.log")
		backup := setAside(t, path, noon, "", "")
		setAside(t, path, noon, suffixes[c], "")
		archive := must[string](t)(Compress(t.Context(), backup, c))
		wantNames(t, path, archive)
		if st := must[unix.Stat_t](t)(lstat(archive)); st.Size == 0 {
			t.Error("the archive has no bytes")
		}
		wantArchive(t, archive, nil)
	}
}

func TestWhatIsInTheWayOfAnArchiveAndIsNoFileStays(t *testing.T) {
	t.Parallel()
	for _, form := range []string{".gz", ".zst"} {
		path := filepath.Join(t.TempDir(), "app.log")
		backup := setAside(t, path, noon, "", "text")
		check(t, os.Mkdir(backup+form, 0o700))
		_, err := Compress(t.Context(), backup, Gzip)
		wantErr(t, err, ErrNotRegular)
		if !strings.Contains(err.Error(), backup+form) {
			t.Errorf("error is %v", err)
		}
		wantNames(t, path, backup, backup+form)
	}
	path := filepath.Join(t.TempDir(), "app.log")
	backup := setAside(t, path, noon, "", "text")
	check(t, os.Mkdir(archiveTemp(backup), 0o700))
	_, err := Compress(t.Context(), backup, Gzip)
	wantErr(t, err, ErrNotRegular)
	wantNames(t, path, backup, archiveTemp(backup))
}

func TestTidyRemovesTheTemporariesOfThisOutputAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	there := setAside(t, path, noon, "", "text")
	gone := path + "." + noon.Add(1).Format(backupTime)
	done := setAside(t, path, noon.Add(2), ".gz", "archive")
	others := []string{
		archiveTemp(filepath.Join(dir, "other.log."+noon.Format(backupTime))),
		filepath.Join(dir, ".app.log.next"),
		filepath.Join(dir, ".app.log~"),
		filepath.Join(dir, "app.log."+noon.Format(backupTime)+"~"),
		filepath.Join(dir, ".app.log."+noon.Format(backupTime)),
	}
	for _, name := range append([]string{archiveTemp(there), archiveTemp(gone), archiveTemp(done[:len(done)-3])}, others...) {
		check(t, os.WriteFile(name, []byte("part"), 0o600))
	}
	odd := archiveTemp(path + "." + noon.Add(3).Format(backupTime))
	check(t, os.Mkdir(odd, 0o700))
	check(t, Tidy(path))
	wantNames(t, path, append(others, there, done, odd)...)
}

func TestCompressionHasNoGoroutineAndLittleMemory(t *testing.T) {
	// Not parallel: it counts what the whole process has.
	path := filepath.Join(t.TempDir(), "app.log")
	for _, c := range kinds {
		backup := setAside(t, path, noon, "", string(logText(8<<20)))
		before, most := runtime.NumGoroutine(), uint64(0)
		var start, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&start)
		ctx := &spy{Context: t.Context(), look: func() error {
			runtime.ReadMemStats(&now)
			most = max(most, now.TotalAlloc-start.TotalAlloc)
			if n := runtime.NumGoroutine(); n > before {
				t.Fatalf("%d goroutines, %d before", n, before)
			}
			return nil
		}}
		archive := must[string](t)(Compress(ctx, backup, c))
		if most > 6<<20 {
			t.Errorf("%v allocates %d bytes", c, most)
		}
		setAside(t, path, noon, "", string(logText(8<<20)))
		runtime.ReadMemStats(&start)
		most = 0
		must[string](t)(Compress(ctx, backup, c))
		if most > 6<<20 {
			t.Errorf("comparing with %v allocates %d bytes", c, most)
		}
		check(t, os.Remove(archive))
	}
}

func TestCompressionsHaveTheirNames(t *testing.T) {
	t.Parallel()
	for _, c := range append(kinds, None) {
		if got, err := ParseCompression(c.String()); got != c || err != nil {
			t.Errorf("%v is read as %v, %v", c, got, err)
		}
	}
	for _, name := range []string{"", "bzip2", "GZIP", "Compression(7)"} {
		_, err := ParseCompression(name)
		if err == nil || !strings.Contains(err.Error(), `"`+name+`"; want none, gzip or zstd`) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := Compression(7).String(); got != "Compression(7)" {
		t.Errorf("an unknown one is %s", got)
	}
}
