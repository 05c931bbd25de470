//go:build linux

package logfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// writeSize is how much of an archive is written at once, in bytes.
const writeSize = 256 << 10

// Compress replaces backup, the path of a rotated file as Rotate returned it, by an
// archive beside it, of the same mode, owner and time of change, and returns that
// archive's path. The archive is on disk before the file is removed. It has a few MiB
// of memory and no goroutine.
//
// The file is locked meanwhile. If an archive is there already, of either kind, whole
// and of the same content, just the file is removed; one that is not is replaced. If
// only an archive is there, nothing has to be done.
//
// If err is not nil, the file is still there and whole, unless archive is not empty: then
// only the last sync failed. Errors: ctx's; a *LockedError if somebody has the file;
// ErrNotRotated, ErrNotRegular, ErrRaced, ErrChanged, or what the system says. It may be
// called by any goroutine.
func Compress(ctx context.Context, backup string, c Compression) (archive string, err error) {
	suffix, ok := suffixes[c]
	if !ok {
		return "", fmt.Errorf("compress %s: compression %v makes no archive", backup, c)
	}
	if _, ok := outputOf(backup); !ok {
		return "", fmt.Errorf("compress: %w: %s", ErrNotRotated, backup)
	}
	source, err := acquire(backup, 0)
	if errors.Is(err, unix.ENOENT) {
		if archive, ok := Find(backup); ok {
			return archive, nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	j := archiving{
		ctx: ctx, source: source, backup: backup, kind: c,
		archive: backup + suffix, temp: archiveTemp(backup),
	}
	archive, err = j.run()
	if err = errors.Join(err, release(source)); err != nil {
		return archive, fmt.Errorf("compress %s: %w", backup, err)
	}
	return archive, nil
}

// Find says where the content of backup is now, which Rotate returned: there, or else in
// an archive beside it. It is nowhere if not ok.
func Find(backup string) (path string, ok bool) {
	for _, form := range []string{"", suffixes[Gzip], suffixes[Zstd]} {
		if st, err := lstat(backup + form); err == nil && isRegular(&st) {
			return backup + form, true
		}
	}
	return "", false
}

// archiveTemp is where backup's archive is made. Only the holder of backup's lock makes
// it. The leading dot and the end keep it out of globs, *.gz too; and it is no longer than
// the archive's name, for which there is room.
func archiveTemp(backup string) string {
	return filepath.Join(filepath.Dir(backup), "."+filepath.Base(backup)+"~")
}

// archiving is one Compress, in steps such that a process may die before each:
//
//	before     file   temporary  archive   the next Compress
//	compare    whole  -          any       begins anew
//	create     whole  -          no whole  begins anew
//	fill       whole  empty      no whole  removes the temporary, and begins anew
//	seal       whole  part       no whole  the same
//	place      whole  whole      no whole  the same
//	syncDir    whole  -          whole     compares, and goes on here
//	clear      whole  -          whole     the same
//	syncDir    -      -          whole     has nothing to do
type archiving struct {
	ctx     context.Context
	source  *os.File // locked
	before  unix.Stat_t
	backup  string
	archive string
	temp    string
	kind    Compression

	out    archiveFile // the temporary
	others []string    // archives that are there and have to go, most likely broken ones
}

func (j *archiving) run() (archive string, err error) {
	if j.before, err = fstat(j.source); err != nil {
		return "", err
	}
	whole, err := j.compare()
	if err == nil && whole == "" {
		whole, err = j.archive, j.make()
	}
	if err == nil {
		err = syncDir(filepath.Dir(j.backup))
	}
	if err == nil {
		err = j.clear(whole)
	}
	if err != nil {
		return "", err
	}
	return whole, syncDir(filepath.Dir(j.backup))
}

// compare finds a whole archive of the file, and sees to it that it is on disk. It notes
// which others are there.
func (j *archiving) compare() (whole string, err error) {
	for _, kind := range []Compression{j.kind, j.kind.other()} {
		archive := j.backup + suffixes[kind]
		st, err := lstat(archive)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err == nil && !isRegular(&st) {
			err = fmt.Errorf("open %s: %w", archive, ErrNotRegular)
		}
		holds := false
		if err == nil && whole == "" {
			holds, err = j.holds(archive, kind)
		}
		switch {
		case err != nil:
			return "", err
		case holds:
			whole = archive
		default:
			j.others = append(j.others, archive)
		}
	}
	return whole, nil
}

// holds reports whether what is in the archive is what is in the file, to the last byte,
// and syncs it then: whoever made it may not have done that.
func (j *archiving) holds(archive string, kind Compression) (bool, error) {
	if err := failpoint.Err(failpoint.ArchiveCompare); err != nil {
		return false, fmt.Errorf("open %s: %w", archive, err)
	}
	fd, err := os.OpenFile(archive, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	equal, err := kind.holds(fd, j.content())
	if err == nil && equal {
		err = syncArchive(fd)
	}
	return equal, errors.Join(err, fd.Close())
}

// make makes the archive and gives it its name, or leaves nothing behind.
func (j *archiving) make() (err error) {
	if err := j.create(); err != nil {
		return err
	}
	if err = errors.Join(j.fill(), j.out.Close()); err == nil {
		err = j.place()
	}
	if err != nil {
		err = errors.Join(err, os.Remove(j.temp))
	}
	return err
}

func (j *archiving) create() error {
	if err := removeTemp(j.temp); err != nil {
		return err
	}
	if err := failpoint.Err(failpoint.ArchiveCreate); err != nil {
		return fmt.Errorf("create %s: %w", j.temp, err)
	}
	// Nobody may read it who may not read the file.
	fd, err := os.OpenFile(j.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	j.out = archiveFile{fd}
	return err
}

// fill writes the archive, makes it look like the file, and syncs it.
func (j *archiving) fill() error {
	buf := bufio.NewWriterSize(j.out, writeSize)
	w, err := j.kind.writer(buf)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, j.content())
	if err = errors.Join(err, w.Close(), buf.Flush()); err != nil {
		return err
	}
	now, err := fstat(j.source)
	if err == nil && (n != j.before.Size || now.Size != n || now.Mtim != j.before.Mtim) {
		err = ErrChanged
	}
	if err == nil {
		err = j.seal()
	}
	return err
}

func (j *archiving) seal() error {
	if err := likeness(j.out.File, &j.before); err != nil {
		return err
	}
	if err := os.Chtimes(j.temp, time.Time{}, time.Unix(j.before.Mtim.Unix())); err != nil {
		return err
	}
	return syncArchive(j.out.File)
}

func syncArchive(fd *os.File) error {
	err := failpoint.Err(failpoint.ArchiveSync)
	if err == nil {
		err = fd.Sync()
	}
	if err != nil {
		return fmt.Errorf("sync %s: %w", fd.Name(), err)
	}
	return nil
}

// place gives the archive its name, in place of one that was found broken, and of no other.
func (j *archiving) place() error {
	if err := failpoint.Err(failpoint.ArchivePlace); err != nil {
		return err
	}
	if slices.Contains(j.others, j.archive) {
		return os.Rename(j.temp, j.archive)
	}
	return renameNew(j.temp, j.archive)
}

// clear removes all but the one archive that is whole and on disk.
func (j *archiving) clear(whole string) error {
	if err := failpoint.Err(failpoint.ArchiveClear); err != nil {
		return fmt.Errorf("remove %s: %w", j.backup, err)
	}
	named, err := lstat(j.backup)
	if err != nil {
		return err
	}
	if identityOf(&named) != identityOf(&j.before) {
		return ErrChanged
	}
	for _, archive := range j.others {
		if archive == whole {
			continue // which replaced it
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
	}
	return os.Remove(j.backup)
}

// content is the file from its beginning to its end, as long as ctx holds; and a byte
// more, so that one that grows is noticed.
func (j *archiving) content() io.Reader {
	return contextReader{j.ctx, io.NewSectionReader(j.source, 0, j.before.Size+1)}
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// archiveFile is an archive that is being written.
type archiveFile struct{ *os.File }

func (f archiveFile) Write(p []byte) (int, error) {
	if err := failpoint.Err(failpoint.ArchiveWrite); err != nil {
		return 0, fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return f.File.Write(p)
}
