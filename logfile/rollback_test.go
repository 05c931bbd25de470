//go:build linux

package logfile

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const head = "earlier lines\n"

// pendingFile is an output with head in it and tail behind, and the intent of
// writing batch there.
func pendingFile(t *testing.T, batch, tail []byte) Pending {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.log")
	check(t, os.WriteFile(path, append([]byte(head), tail...), 0o600))
	st := must[unix.Stat_t](t)(lstat(path))
	return Pending{
		Path: path, Device: st.Dev, Inode: st.Ino,
		Before: int64(len(head)), Length: int64(len(batch)), Pieces: AppendPieces(nil, batch),
	}
}

// window gives p the bytes of one piece of batch.
func window(p Pending, batch []byte, piece int) Pending {
	p.WindowPiece = piece
	p.Window = batch[piece*PieceSize : min(len(batch), (piece+1)*PieceSize)]
	return p
}

// noise is bytes without a period that pieces could share.
func noise(n int) []byte {
	b := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func wantRollback(t *testing.T, p Pending, want Outcome, removed int, content string) {
	t.Helper()
	got := must[Result](t)(Rollback(p))
	if got.Outcome != want || got.Removed != int64(removed) {
		t.Fatalf("%v of %d bytes, want %v of %d", got.Outcome, got.Removed, want, removed)
	}
	wantContent(t, p.Path, content)
}

func TestRollbackCutsOffEachBeginningOfTheWrite(t *testing.T) {
	t.Parallel()
	batch := noise(2*PieceSize + 1000)
	for _, n := range []int{
		0, 1, 100, PieceSize - 1, PieceSize, PieceSize + 1, 2*PieceSize - 1,
		2 * PieceSize, 2*PieceSize + 1, len(batch) - 1, len(batch),
	} {
		t.Run(fmt.Sprintf("%d bytes", n), func(t *testing.T) {
			t.Parallel()
			outcome := RolledBack
			if n == 0 {
				outcome = NothingWritten
			}
			p := window(pendingFile(t, batch, batch[:n]), batch, min(n/PieceSize, 2))
			wantRollback(t, p, outcome, n, head)
			wantRollback(t, p, NothingWritten, 0, head) // again, after dying here
		})
	}
}

func TestRollbackOfWholePiecesNeedsNoWindow(t *testing.T) {
	t.Parallel()
	batch := noise(PieceSize + 10)
	for _, n := range []int{PieceSize, len(batch)} {
		wantRollback(t, pendingFile(t, batch, batch[:n]), RolledBack, n, head)
	}
}

func TestRollbackLeavesWhatIsNotProvedToBeOurs(t *testing.T) {
	t.Parallel()
	batch := noise(2*PieceSize + 1000)
	flipped := func(n, at int) []byte {
		b := bytes.Clone(batch[:n])
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		tail  []byte
		piece int // of the window; -1: none
	}{
		"appended behind the whole write":  {append(bytes.Clone(batch), 'x'), 2},
		"appended behind a part":           {append(bytes.Clone(batch[:100]), 'x'), 0},
		"appended at a border":             {append(bytes.Clone(batch[:PieceSize]), batch[PieceSize]^1), 1},
		"foreign only":                     {[]byte("theirs\n"), 0},
		"whole piece changed":              {flipped(PieceSize, 5), 0},
		"earlier piece changed":            {flipped(PieceSize+5, 5), 1},
		"last piece changed":               {flipped(len(batch), len(batch)-1), 2},
		"part changed":                     {flipped(PieceSize+5, PieceSize+4), 1},
		"part of a piece without a window": {batch[:10], -1},
		"part of another than the window":  {batch[:PieceSize+10], 2},
		"last piece of a length not ours":  {batch[:len(batch)-1], 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pendingFile(t, batch, c.tail)
			if c.piece >= 0 {
				p = window(p, batch, c.piece)
			}
			wantRollback(t, p, Foreign, 0, head+string(c.tail))
		})
	}
}

func TestRollbackLeavesAFileShorterThanItWas(t *testing.T) {
	t.Parallel()
	batch := noise(100)
	p := window(pendingFile(t, batch, nil), batch, 0)
	check(t, os.Truncate(p.Path, 3))
	wantRollback(t, p, Foreign, 0, head[:3])
}

func TestRollbackFindsAMissingFileMissingAndDoesNotMakeIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, name := range []string{"app.log", "gone/app.log", "file/app.log"} {
		got := must[Result](t)(Rollback(Pending{Path: filepath.Join(dir, name)}))
		if got.Outcome != Missing {
			t.Errorf("%s: %v", name, got.Outcome)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Fatalf("folder has %q", got)
	}
}

func TestRollbackLeavesAnotherFileAtThePath(t *testing.T) {
	t.Parallel()
	batch := []byte("line\n")
	whole := head + string(batch)
	for name, harm := range map[string]func(*Pending) error{
		"another file": func(p *Pending) error {
			if err := os.Rename(p.Path, p.Path+".1"); err != nil {
				return err
			}
			return os.WriteFile(p.Path, []byte(whole), 0o600)
		},
		"a link to it": func(p *Pending) error {
			if err := os.Rename(p.Path, p.Path+".1"); err != nil {
				return err
			}
			return os.Symlink(p.Path+".1", p.Path)
		},
		"another device":                 func(p *Pending) error { p.Device++; return nil },
		"another inode":                  func(p *Pending) error { p.Inode++; return nil },
		"another inode, any device's":    func(p *Pending) error { p.Inode++; p.IgnoreDevice = true; return nil },
		"another inode, device as given": func(p *Pending) error { p.Inode = 0; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pendingFile(t, batch, batch)
			check(t, harm(&p))
			wantRollback(t, p, Replaced, 0, whole)
		})
	}
}

func TestRollbackLeavesWhatIsNotARegularFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	check(t, unix.Mkfifo(fifo, 0o600))
	for _, path := range []string{fifo, dir, "/dev/null"} {
		if got := must[Result](t)(Rollback(Pending{Path: path})); got.Outcome != Replaced {
			t.Errorf("%s: %v", path, got.Outcome)
		}
	}
}

func TestRollbackIgnoresTheDeviceAfterAReboot(t *testing.T) {
	t.Parallel()
	batch := []byte("line\n")
	p := pendingFile(t, batch, batch)
	p.Device++
	p.IgnoreDevice = true
	wantRollback(t, p, RolledBack, len(batch), head)
}

func TestRollbackIsRefusedWhileTheOutputIsLocked(t *testing.T) {
	t.Parallel()
	batch := []byte("line\n")
	p := pendingFile(t, batch, batch)
	f := open(t, p.Path)
	_, err := Rollback(p)
	wantErr(t, err, ErrLocked)
	wantContent(t, p.Path, head+string(batch))
	check(t, f.Close())
	wantRollback(t, p, RolledBack, len(batch), head)
	open(t, p.Path) // Rollback let go of it
}

func TestRollbackRefusesContradictions(t *testing.T) {
	t.Parallel()
	batch := noise(PieceSize + 10)
	for name, harm := range map[string]func(*Pending){
		"relative path":         func(p *Pending) { p.Path = "app.log" },
		"no path":               func(p *Pending) { p.Path = "" },
		"negative before":       func(p *Pending) { p.Before = -1 },
		"least before":          func(p *Pending) { p.Before = math.MinInt64 },
		"negative length":       func(p *Pending) { p.Length = -1 },
		"least length":          func(p *Pending) { p.Length = math.MinInt64 },
		"end overflows":         func(p *Pending) { p.Before = math.MaxInt64 },
		"huge length":           func(p *Pending) { p.Length = math.MaxInt64 },
		"length of more pieces": func(p *Pending) { p.Length += PieceSize },
		"length of less pieces": func(p *Pending) { p.Length = PieceSize },
		"no pieces":             func(p *Pending) { p.Pieces = nil },
		"window before all":     func(p *Pending) { p.WindowPiece = -1 },
		"window behind all":     func(p *Pending) { p.WindowPiece = 2 },
		"window of last piece":  func(p *Pending) { p.WindowPiece = 1 },
		"window too short":      func(p *Pending) { p.Window = p.Window[:PieceSize-1] },
		"window empty":          func(p *Pending) { p.Window = []byte{} },
		"window of other bytes": func(p *Pending) { p.Window = bytes.Repeat([]byte{7}, PieceSize) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := window(pendingFile(t, batch, batch[:5]), batch, 0)
			path := p.Path
			harm(&p)
			_, err := Rollback(p)
			wantErr(t, err, ErrPending)
			wantContent(t, path, head+string(batch[:5]))
		})
	}
}

func TestAWriteThatDiedAnywhereCanBeRolledBackAndMadeAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, head)
	batch := noise(PieceSize + PieceSize/2)
	dev, ino, err := f.Identity()
	check(t, err)
	p := Pending{
		Path: f.Path(), Device: dev, Inode: ino, Before: must[int64](t)(f.Size()),
		Length: int64(len(batch)), Pieces: AppendPieces(nil, batch),
	}
	write(t, f, string(batch[:PieceSize+7]))
	check(t, f.Close())

	wantRollback(t, window(p, batch, 1), RolledBack, PieceSize+7, head)
	f = open(t, path)
	write(t, f, string(batch))
	check(t, f.Check(p.Before+p.Length))
	wantContent(t, path, head+string(batch))
}

func FuzzRollbackTruncatesOnlyABeginningOfTheWrite(f *testing.F) {
	f.Add([]byte("line\nline\n"), []byte("line\nli"), int64(10), int64(14), 0)
	f.Add([]byte("line\n"), []byte("other"), int64(5), int64(14), 0)
	f.Add([]byte{}, []byte("x"), int64(-1), int64(math.MaxInt64), -1)
	f.Fuzz(func(t *testing.T, batch, tail []byte, length, before int64, piece int) {
		p := pendingFile(t, batch, tail)
		p.Length, p.Before, p.Window, p.WindowPiece = length, before, batch, piece
		got, err := Rollback(p)
		whole := head + string(tail)
		if err != nil || got.Outcome != RolledBack {
			wantContent(t, p.Path, whole)
			return
		}
		cut := whole[before:]
		if int64(len(cut)) != got.Removed || !bytes.HasPrefix(batch, []byte(cut)) {
			t.Fatalf("cut off %q, which is not the beginning of %q", cut, batch)
		}
		wantContent(t, p.Path, whole[:before])
	})
}
