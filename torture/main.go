// Torture proves by force that ringlog loses nothing, doubles nothing and tears nothing:
// real workers and real readers are killed and stopped, at random and at every
// failpoint, while disks fill up, system calls fail and outputs disappear; and a judge
// that shares no code with the reader holds the outputs against what the workers noted.
//
//	make torture SECONDS=1200
//
// It and ringlog are to be built with -tags failpoints. Exit code 0: nothing was lost,
// doubled, torn or out of order, and nothing of the run is left. 1: something was, and
// the run's folder is kept. 2: a flag is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// workerRole is the first argument of a worker process.
const workerRole = "worker"

// options are the flags.
type options struct {
	Seconds int
	Seed    uint64
	Workers int
	Dir     string
	Disk    int // MiB
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == workerRole {
		if err := work(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(torture())
}

func torture() int {
	var o options
	var ringlog string
	flag.IntVar(&o.Seconds, "seconds", 60, "how long workers are started")
	flag.Uint64Var(&o.Seed, "seed", 0, "of what is done at random; 0: another one each time")
	flag.IntVar(&o.Workers, "workers", 6, "how many workers run at once")
	flag.StringVar(&o.Dir, "dir", "", "where the run's folder is made (default: /dev/shm, or the folder for temporary files)")
	flag.IntVar(&o.Disk, "disk", 48, "size in MiB of the file system that is filled")
	flag.StringVar(&ringlog, "ringlog", "", "the command, built with -tags failpoints (default: beside this program)")
	flag.Parse()
	if flag.NArg() > 0 || o.Seconds < 1 || o.Workers < 1 || o.Workers > 24 || o.Disk < 8 {
		fmt.Fprintln(os.Stderr, "torture: want --seconds 1 or more, --workers 1 to 24, --disk 8 or more, and no arguments")
		return 2
	}
	inside := os.Getenv(insideVariable) != ""
	if !inside {
		if code, ok := enter(); ok {
			return code
		}
	}
	code, err := begin(o, ringlog, inside)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	return code
}

// begin carries out a run and says what came of it.
func begin(o options, ringlog string, inside bool) (code int, err error) {
	for o.Seed == 0 {
		o.Seed = rand.Uint64() >> 32 // short enough to be typed
	}
	if st, err := os.Stat("/dev/shm"); o.Dir == "" && err == nil && st.IsDir() {
		o.Dir = "/dev/shm"
	}
	r := &run{options: o, ringlog: ringlog, judge: newJudge()}
	if r.self, err = os.Executable(); err != nil {
		return 1, err
	}
	if r.ringlog == "" {
		r.ringlog = filepath.Join(filepath.Dir(r.self), "ringlog")
	}
	r.alive, r.abort = context.WithCancel(context.Background())
	defer r.abort()
	ctx := r.untilSignal()
	r.say("seed %d, %d s", o.Seed, o.Seconds)
	if err := r.prepare(inside); err != nil {
		return 1, errors.Join(err, r.clear(false))
	}
	start, done := time.Now(), make(chan struct{})
	go r.figures.show(os.Stderr, done)
	timed, cancel := context.WithTimeout(ctx, time.Duration(o.Seconds)*time.Second)
	err = r.carryOut(timed)
	cancel()
	close(done)
	err = errors.Join(err, r.report(os.Stdout, time.Since(start)))
	keep := r.judge.bad() > 0 || err != nil && !errors.Is(err, errAborted)
	if err := r.clear(keep); err != nil {
		r.say("%v", err)
	}
	if keep {
		r.say("what is left of the run is in %s", r.dir)
	}
	if keep || err != nil {
		return 1, err
	}
	return 0, nil
}

func (r *run) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "torture: "+format+"\n", args...)
}
