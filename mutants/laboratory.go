package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ringlog/ringlog/internal/overlay"
)

// atOnce is how many runs of tests go on at the same time. More would make tests
// with processes and deadlines slow on small machines.
const atOnce = 2

// result is what became of one mutant.
type result struct {
	mutant mutant
	caught observation // of the suite that caught it; without a finding if none did
	by     suite
	took   time.Duration // until it was caught, all builds and runs together
	// err says why this is no result: the mutant is out of date or does not compile.
	err error
}

func (r *result) survived() bool { return r.err == nil && r.caught.finding == passed }

// laboratory runs tests on broken code.
type laboratory struct {
	root    string // of the module, absolute
	timeout time.Duration
	mu      sync.Mutex
	out     io.Writer // progress, a line at a time
}

// examine runs the suites on the code as it is, which they must like, and then on
// each mutant until one does not. Errors: the suites fail without any mutant, or
// ctx ended.
func (l *laboratory) examine(ctx context.Context, all []mutant) ([]result, error) {
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	if err := l.baseline(ctx, all); err != nil {
		return nil, err
	}
	results := make([]result, len(all))
	done := 0
	each(all, func(i int, m mutant) {
		if ctx.Err() != nil {
			return
		}
		results[i] = l.try(ctx, m)
		l.mu.Lock()
		defer l.mu.Unlock()
		done++
		fmt.Fprintf(l.out, "%2d/%d  %s\n", done, len(all), &results[i])
	})
	return results, ctx.Err()
}

// baseline runs each suite once on the code as it is: a test that fails anyhow
// would catch everything.
func (l *laboratory) baseline(ctx context.Context, all []mutant) error {
	var distinct []suite
	known := map[suite]bool{}
	for _, m := range all {
		for _, s := range m.tests {
			if !known[s] {
				known[s] = true
				distinct = append(distinct, s)
			}
		}
	}
	errs := make([]error, len(distinct))
	each(distinct, func(i int, s suite) {
		var o observation
		if o, errs[i] = l.run(ctx, s, nil); errs[i] == nil && o.finding != passed {
			errs[i] = fmt.Errorf("%s fails on the code as it is: %s %s; mend that first", s, o.finding, o.what)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		fmt.Fprintf(l.out, "as it is: %s: %s after %.1f s\n", s, o.finding, o.after.Seconds())
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// try runs m's suites until one catches it.
func (l *laboratory) try(ctx context.Context, m mutant) result {
	r := result{mutant: m}
	for _, s := range m.tests {
		begin := time.Now()
		o, err := l.run(ctx, s, m.edits)
		switch {
		case err != nil:
			r.err = err
			return r
		case o.finding == unbuilt:
			r.err = fmt.Errorf("it does not compile: %s", o.what)
			return r
		case o.finding == failed, o.finding == hung && m.hangs:
			r.caught, r.by = o, s
			r.took += o.after
			return r
		}
		r.took += time.Since(begin)
	}
	return r
}

// run observes s on the code with edits, in a folder that takes all temporary files
// and goes away with them.
func (l *laboratory) run(ctx context.Context, s suite, edits []overlay.Edit) (o observation, err error) {
	// Short names: messages that tests look at are cut to a length.
	dir, err := os.MkdirTemp("", "mut")
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	temporary := filepath.Join(dir, "t")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return o, err
	}
	own := "TMPDIR=" + temporary
	defer func() { err = errors.Join(endOrphans(own), err) }() // before their files go
	environ := append(os.Environ(), own)
	if edits != nil {
		path, err := overlay.Write(l.root, dir, edits)
		if err != nil {
			return o, err
		}
		environ = overlay.Environment(environ, path)
	}
	return observe(ctx, l.root, s, environ, l.timeout)
}

// each calls f for all, atOnce at a time, in their order.
func each[T any](all []T, f func(i int, v T)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				f(i, all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wg.Wait()
}
