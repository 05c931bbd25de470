package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// takeAway removes or renames an output of a reader, or while there is none.
func (r *readers) takeAway() error {
	gone := r.rnd.IntN(2) == 0
	if r.rnd.IntN(4) == 0 {
		return r.take(nil, gone, false)
	}
	p, err := r.start("", r.syncs && r.rnd.IntN(3) == 0)
	if err != nil {
		return err
	}
	if p.wait(20*time.Millisecond + r.upTo(200)) {
		return r.settled(p, false)
	}
	if r.rnd.IntN(3) == 0 {
		if err := r.take(p, gone, true); err != nil {
			return err
		}
		return r.endBy(p, r.upTo(30), false)
	}
	if err := r.take(p, gone, false); err != nil {
		return err
	}
	return r.endBy(p, r.upTo(200), r.rnd.IntN(2) == 0)
}

// take takes an output away from p, which is stopped for that, at whatever it is doing,
// and then goes on; p may be nil. Who renamed a file and leaves the reader in peace may
// be sure that nothing comes twice: so unless it is to be killed, it is waited for until
// it has opened the path again.
func (r *readers) take(p *reader, gone, kill bool) error {
	f := r.followers[r.rnd.IntN(len(r.followers))]
	if f.busy() {
		return nil // the last one is not judged yet
	}
	if p != nil {
		p.signal(syscall.SIGSTOP)
		if !p.stopped(patience) {
			return nil // it has ended
		}
		defer p.signal(syscall.SIGCONT)
	}
	loose := new(atomic.Bool)
	loose.Store(gone || kill || p == nil || !r.settledIn(p))
	act, count := f.rename, &r.figures.renamed
	if gone {
		act, count = f.remove, &r.figures.removed
	}
	if err := act(loose.Load); errors.Is(err, os.ErrNotExist) {
		return nil // in the middle of a rotation
	} else if err != nil {
		return err
	}
	count.Add(1)
	if p == nil || kill {
		return nil
	}
	p.signal(syscall.SIGCONT)
	for deadline := time.Now().Add(patience); ; {
		if _, err := os.Lstat(f.path); err == nil {
			return nil
		}
		if p.wait(time.Millisecond) || r.deserted.Err() != nil { // in mid-batch, perhaps
			loose.Store(true)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was taken away and is not made again:\n%s", f.path, p.words())
		}
	}
}

// settledIn says that p has undone or completed what its predecessor left: it has added
// to an output or rotated it. Before, it may find that an output is gone which it is to
// roll back.
func (r *readers) settledIn(p *reader) bool {
	now, err := os.Stat(r.followers[everything].path)
	return err == nil && (p.before == nil || !os.SameFile(p.before, now) || now.Size() > p.before.Size())
}

// fillDisk fills the disk under a reader and frees it: the reader says once that there
// is no room, and once that it is over.
func (r *readers) fillDisk() error {
	if r.disk == nil {
		return r.fail()
	}
	p, err := r.start("", r.syncs && r.rnd.IntN(3) == 0)
	if err != nil {
		return err
	}
	if p.wait(50*time.Millisecond + r.upTo(100)) {
		return r.settled(p, false)
	}
	err = r.episode(func() error {
		if err := r.until(p, "no space", func() bool { _, _, _, n := p.troubles(); return n > 0 }); err != nil {
			return err
		}
		p.wait(r.upTo(300))
		return nil
	})
	if err == nil {
		err = r.until(p, "the end of no space", func() bool { begun, ended, _, _ := p.troubles(); return begun == ended })
	}
	if err == nil {
		if begun, ended, most, n := p.troubles(); begun != ended || most != 1 || n != begun {
			err = fmt.Errorf("a disk was full once, and the reader said %d times that trouble began, up to %d times of one output, %d times for want of space, and %d times that it was over:\n%s", begun, most, n, ended, p.words())
		}
	}
	if errors.Is(err, errDeserted) {
		return r.endBy(p, 0, false)
	}
	if err != nil {
		p.kill()
		return err
	}
	r.figures.calmEpisodes.Add(1)
	return r.endBy(p, r.upTo(100), r.rnd.IntN(2) == 0)
}

// episode fills the disk, does what is to be done then, and frees it. The judge, which
// would free some by removing files, waits meanwhile.
func (r *readers) episode(within func() error) error {
	r.gate.Lock()
	defer r.gate.Unlock()
	if err := r.disk.fill(); err != nil {
		return err
	}
	r.figures.episodes.Add(1)
	err := within()
	return errors.Join(err, r.disk.free())
}

// errDeserted: nothing is written any more, so nothing can be waited for.
var errDeserted = errors.New("there are no workers any more")

func (r *readers) until(p *reader, what string, f func() bool) error {
	for deadline := time.Now().Add(patience); !f(); {
		if r.deserted.Err() != nil {
			return errDeserted
		}
		if p.wait(time.Millisecond) || time.Now().After(deadline) {
			return fmt.Errorf("waited in vain for a reader to meet %s:\n%s", what, p.words())
		}
	}
	return nil
}

// fillDiskAndKill kills readers that live on a full disk, at random and in those steps
// that come with it.
func (r *readers) fillDiskAndKill() error {
	if r.disk == nil {
		return r.fail()
	}
	return r.episode(func() error {
		for range 1 + r.rnd.IntN(4) {
			rules := ""
			switch r.rnd.IntN(4) {
			case 0:
				rules = "file.truncate=kill@1"
			case 1:
				rules = "file.write=kill@" + fmt.Sprint(1+r.rnd.IntN(8))
			case 2:
				rules = "reader.error=kill@" + fmt.Sprint(1+r.rnd.IntN(5))
			}
			p, err := r.start(rules, false)
			if err != nil {
				return err
			}
			p.full = true
			if err := r.endBy(p, r.upTo(400), r.rnd.IntN(4) == 0); err != nil {
				return err
			}
		}
		return nil
	})
}
