package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
	"golang.org/x/sys/unix"
)

// patience is how long writers wait for room: longer than any reader is away here.
const patience = 2 * time.Minute

// open attaches, and tries again while no lane is free.
func open(ringPath, label string) (*writer.Writer, error) {
	for {
		w, err := writer.Open(ringPath, writer.Options{Label: label, Timeout: patience})
		if !errors.Is(err, writer.ErrNoFreeLane) {
			return w, err
		}
		time.Sleep(time.Millisecond)
	}
}

// split cuts a file into lines at "\n", which belong to none; a carriage return
// belongs to its line.
func split(b []byte) [][]byte { return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) }

// replay ring label file rounds: appends the file's lines, so many times.
func replay(args []string) error {
	b, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	w, err := open(args[0], args[1])
	if err != nil {
		return err
	}
	for range n {
		for _, line := range split(b) {
			if err := w.Append(record.LevelInfo, line); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

// count ring label notes index: appends 1, 2, 3 … until SIGTERM, and keeps the
// last number that was accepted at the index in the file of notes.
func count(args []string) error {
	notes, err := os.OpenFile(args[2], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	st, err := notes.Stat()
	if err != nil {
		return err
	}
	m, err := unix.Mmap(int(notes.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	index, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w, err := open(args[0], args[1])
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(uint64(index), 1))
	filler := strings.Repeat("f", 8000)
	for n := uint64(1); ctx.Err() == nil; n++ {
		size := rnd.IntN(40)
		if n%16 == 0 {
			size = rnd.IntN(len(filler))
		}
		e := record.Entry{Logger: loggerOf(n), Message: fmt.Sprint(n, " ", filler[:size])}
		if err := w.Log(record.LevelInfo, &e); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(m[8*index:], n) // one store: a kill finds the old or the new number
		if n%30 == 0 {                                // else there would be too much to judge
			time.Sleep(300 * time.Microsecond)
		}
	}
	return w.Close()
}

// loggerOf is the logger of a counter's record n.
func loggerOf(n uint64) string {
	if n%2 == 0 {
		return "trades.fx"
	}
	return "app"
}

// drain ring options: drains until SIGTERM, or as the options (in JSON) say.
func drain(args []string) error {
	var o reader.Options
	if err := json.Unmarshal([]byte(args[1]), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r, err := reader.Open(args[0], o)
	if err != nil {
		return err
	}
	fmt.Println("draining")
	return errors.Join(r.Run(ctx), r.Close())
}

// stopInMidAppend ring: claims a record, stops, and commits it when continued.
func stopInMidAppend(args []string) error {
	p, err := ring.Attach(args[0], ring.AttachOptions{Label: "stopped"})
	if err != nil {
		return err
	}
	message := "claimed before the stop, written after it"
	c, err := p.Claim(len(message), int16(record.LevelInfo), ring.KindRaw)
	if err != nil {
		return err
	}
	copy(c.Payload, message[:10])
	fmt.Println("stopping")
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	copy(c.Payload, message)
	p.Commit(c)
	return p.Close()
}

// parent ring command…: appends a record, starts the command, prints its pid, and
// waits for its end.
func parent(args []string) error {
	w, err := open(args[0], "parent")
	if err != nil {
		return err
	}
	if err := w.Append(record.LevelInfo, []byte("of the parent")); err != nil {
		return err
	}
	child := exec.Command(args[1], args[2:]...)
	child.Env = append(os.Environ(), roleVariable+"=orphan")
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		return err
	}
	return child.Wait()
}

// orphan: prints its pid and waits, longer than any test.
func orphan([]string) error {
	fmt.Println(os.Getpid())
	time.Sleep(time.Hour)
	return nil
}
