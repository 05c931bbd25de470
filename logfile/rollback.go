//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// PieceSize is how many bytes of a batch's output one checksum covers.
const PieceSize = 64 << 10

// AppendPieces appends to dst the CRC-32 (IEEE) of each PieceSize bytes of p, the
// last piece being what is left: what a Pending of the write of p has as Pieces.
func AppendPieces(dst []uint32, p []byte) []uint32 {
	for len(p) > 0 {
		n := min(len(p), PieceSize)
		dst = append(dst, crc32.ChecksumIEEE(p[:n]))
		p = p[n:]
	}
	return dst
}

// Pending is what an intent says of one output: a write of Length bytes at offset
// Before that may have been made wholly, in part or not at all.
type Pending struct {
	Path          string // absolute, as from File.Path
	Device, Inode uint64 // as from File.Identity
	Before        int64  // size of the file before the write, bytes
	Length        int64  // bytes to be written, all pieces together
	Pieces        []uint32
	Window        []byte // the exact bytes of piece WindowPiece, or nil if unknown
	WindowPiece   int    // index in Pieces; only read if Window is not nil

	// IgnoreDevice is for an intent from before a reboot, which may have given
	// the file system another device number; the checksums still decide.
	IgnoreDevice bool
}

// Outcome is what Rollback found and did.
type Outcome int

const (
	// RolledBack: a part of the write, or all, was there and was cut off.
	RolledBack Outcome = iota + 1
	// NothingWritten: the file ends where the write would have begun.
	NothingWritten
	// Missing: there is no file at the path.
	Missing
	// Replaced: the path names another file than the one written to.
	Replaced
	// Foreign: the file is shorter than Before, or has bytes behind Before that
	// are not, or cannot be proved to be, the beginning of this write.
	Foreign
)

func (o Outcome) String() string {
	switch o {
	case RolledBack:
		return "rolled back"
	case NothingWritten:
		return "nothing written"
	case Missing:
		return "missing"
	case Replaced:
		return "replaced"
	case Foreign:
		return "foreign bytes"
	}
	return fmt.Sprintf("Outcome(%d)", int(o))
}

// Result of a Rollback. After each of them the intent is settled; after Missing,
// Replaced and Foreign the file was left alone, which the caller should say, since
// lines of the batch may then be lost with their file or appear twice.
type Result struct {
	Outcome Outcome
	Removed int64 // bytes cut off; 0 unless RolledBack
}

// Rollback undoes a write that a crash interrupted, before anything opens the
// output. It locks the file at p.Path, and truncates it to p.Before only if it is
// a regular file of that identity and what lies behind p.Before is a beginning of
// the very bytes that were to be written: whole pieces by their checksum, a part
// of a piece by p.Window, which must be that piece's. It reads p.Length bytes at
// most, and allocates one piece.
//
// A truncation is synced before Rollback returns: if the intent were cleared on
// disk and the truncation lost, the batch would be in the file twice. That is one
// fsync a start, and only after a crash.
//
// On any error the caller keeps the intent and stops: a *LockedError if somebody
// has the file, ErrPending, ErrRaced, or what the system says.
func Rollback(p Pending) (Result, error) {
	if err := p.validate(); err != nil {
		return Result{}, err
	}
	fd, err := acquire(p.Path, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return Result{Outcome: Missing}, nil
	case errors.Is(err, ErrNotRegular), errors.Is(err, unix.ELOOP):
		return Result{Outcome: Replaced}, nil
	case err != nil:
		return Result{}, fmt.Errorf("roll back: %w", err)
	}
	res, err := p.rollback(fd)
	if err = errors.Join(err, release(fd)); err != nil {
		return Result{}, fmt.Errorf("roll back %s: %w", p.Path, err)
	}
	return res, nil
}

func (p *Pending) rollback(fd *os.File) (Result, error) {
	st, err := fstat(fd)
	if err != nil {
		return Result{}, err
	}
	written := st.Size - p.Before
	switch {
	case st.Ino != p.Inode, st.Dev != p.Device && !p.IgnoreDevice:
		return Result{Outcome: Replaced}, nil
	case written < 0, written > p.Length:
		return Result{Outcome: Foreign}, nil
	case written == 0:
		return Result{Outcome: NothingWritten}, nil
	}
	ours, err := p.wrote(io.NewSectionReader(fd, p.Before, written), written)
	if err != nil {
		return Result{}, err
	}
	if !ours {
		return Result{Outcome: Foreign}, nil
	}
	if err := failpoint.Err(failpoint.FileTruncate); err != nil {
		return Result{}, err
	}
	if err := fd.Truncate(p.Before); err != nil {
		return Result{}, err
	}
	return Result{Outcome: RolledBack, Removed: written}, fd.Sync()
}

// wrote reports whether the n bytes of r are the first n of the pending write.
// n is at most Length, so Pieces has a checksum for each.
func (p *Pending) wrote(r io.Reader, n int64) (bool, error) {
	buf := make([]byte, min(n, PieceSize))
	for piece, sum := range p.Pieces {
		part := buf[:min(n, PieceSize)]
		if _, err := io.ReadFull(r, part); err != nil {
			return false, err
		}
		if int64(len(part)) == p.pieceLen(piece) {
			if crc32.ChecksumIEEE(part) != sum {
				return false, nil
			}
		} else if p.Window == nil || p.WindowPiece != piece || string(part) != string(p.Window[:len(part)]) {
			return false, nil
		}
		if n -= int64(len(part)); n == 0 {
			return true, nil
		}
	}
	return false, nil
}

// pieceLen is the length of piece i in bytes.
func (p *Pending) pieceLen(i int) int64 {
	return min(p.Length-int64(i)*PieceSize, PieceSize)
}

// validate trusts no number in p: it comes from a file.
func (p *Pending) validate() error {
	pieces := p.Length / PieceSize
	if p.Length%PieceSize != 0 {
		pieces++
	}
	switch {
	case !filepath.IsAbs(p.Path):
		return fmt.Errorf("%w: path %q is not absolute", ErrPending, p.Path)
	case p.Before < 0, p.Length < 0, p.Before > math.MaxInt64-p.Length:
		return fmt.Errorf("%w: %d bytes at offset %d", ErrPending, p.Length, p.Before)
	case int64(len(p.Pieces)) != pieces:
		return fmt.Errorf("%w: %d checksums for %d bytes", ErrPending, len(p.Pieces), p.Length)
	case p.Window == nil:
		return nil
	case p.WindowPiece < 0, p.WindowPiece >= len(p.Pieces):
		return fmt.Errorf("%w: window is piece %d of %d", ErrPending, p.WindowPiece, len(p.Pieces))
	case int64(len(p.Window)) != p.pieceLen(p.WindowPiece):
		return fmt.Errorf("%w: window has %d bytes, its piece %d", ErrPending, len(p.Window), p.pieceLen(p.WindowPiece))
	case crc32.ChecksumIEEE(p.Window) != p.Pieces[p.WindowPiece]:
		return fmt.Errorf("%w: window has another checksum than its piece", ErrPending)
	}
	return nil
}
