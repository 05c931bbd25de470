package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// message is record n of a goroutine: who, which, and filler that depends on both,
// so that a torn or mixed record is seen.
func message(rng *rand.Rand, who, n, most int) []byte {
	b := make([]byte, 8+rng.IntN(most-8))
	binary.LittleEndian.PutUint32(b, uint32(who))
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	for i := 8; i < len(b); i++ {
		b[i] = byte(who*31 + n*7 + i)
	}
	return b
}

// judge checks messages as they come: whole, and each goroutine's in its order.
type judge struct{ next map[int]int }

func (j *judge) take(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("message of %d bytes", len(b))
	}
	who, n := int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))
	for i := 8; i < len(b); i++ {
		if b[i] != byte(who*31+n*7+i) {
			return fmt.Errorf("message %d of %d is not whole", n, who)
		}
	}
	if n != j.next[who] {
		return fmt.Errorf("message %d of %d, want its %d", n, who, j.next[who])
	}
	j.next[who]++
	return nil
}

// drainer reads all lanes of a ring as a reader does, and publishes.
type drainer struct {
	c     *Consumer
	judge judge
}

// round reads what there is in each lane; it says whether a lane is left that is
// or may come to be in use.
func (d *drainer) round(batch *Batch) (active bool, err error) {
	batch.Lanes = batch.Lanes[:0]
	for i := range d.c.ring.LaneCount {
		state := d.c.State(i)
		if state == LaneFree {
			continue
		}
		l, err := d.c.Lane(i)
		if err != nil {
			return true, err
		}
		p, ok := l.Progress()
		if !ok {
			return true, fmt.Errorf("lane %d: progress damaged", i)
		}
		active = active || state == LaneOwned
		dead := false
		if state == LaneOwned {
			if dead, err = l.TryLock(); err != nil {
				return true, err
			}
			if dead && l.State() != LaneOwned {
				l.Unlock() // closed in between, and perhaps claimed by somebody who died
				continue
			}
		}
		// The position first: a claimant stores the generation before it moves the
		// position, so records below it are of this generation or published. The
		// other way round, records of a new owner would go under the old one's
		// generation, be skipped by Publish, and be read again.
		end, _ := l.Produced()
		generation := l.Generation()
		if !l.Readable(p.Consumer, end) {
			return true, fmt.Errorf("lane %d: positions %d and %d", i, p.Consumer, end)
		}
		change := LaneChange{Lane: i, Generation: generation, From: p.Consumer, To: p, State: state}
		l.Rewind(p.Consumer, end)
		for pos := p.Consumer; ; {
			var it Item
			if dead {
				it = l.Final(pos, end)
			} else {
				it = l.Live(pos, end)
			}
			pos = it.Next
			change.To.Consumer = pos
			if it.Outcome == OutcomeNotYet || it.Outcome == OutcomeEnd {
				break
			}
			switch it.Outcome {
			case OutcomeRecord:
				if it.Kind == KindOwner {
					continue
				}
				if err := d.judge.take(it.Payload); err != nil {
					return true, fmt.Errorf("lane %d at %d: %w", i, it.Position, err)
				}
				change.To.Delivered++
				change.To.LostSeen = l.Extend(it.Lost, change.To.LostSeen)
			case OutcomeTorn:
				change.To.Torn++
			default:
				return true, fmt.Errorf("lane %d: %+v", i, it)
			}
		}
		if dead || state == LaneClosed && change.To.Consumer == end {
			lost := l.Lost()
			change.To.LostSeen = lost.Total()
		}
		if dead {
			change.State = LaneFree
		}
		if state != LaneClosed || change.To != p {
			batch.Lanes = append(batch.Lanes, change)
		}
		if change.To != p {
			active = true
		}
	}
	return active, d.c.Publish(batch)
}

// Every accepted record comes out exactly once, whole, and in its goroutine's
// order, through lanes so small that they are full most of the time.
func TestConcurrentAppendsAllArriveOnceWholeAndInOrder(t *testing.T) {
	t.Parallel()
	const processes, goroutines, each = 2, 4, 3000
	f := newHeapFile(t, processes, 2048)
	d := drainer{c: f.consumer(t), judge: judge{map[int]int{}}}
	var wg sync.WaitGroup
	for process := range processes {
		w := f.attach(t, fmt.Sprint(process))
		var inside sync.WaitGroup
		for g := range goroutines {
			inside.Add(1)
			wg.Go(func() {
				defer inside.Done()
				who := process*goroutines + g
				rng := rand.New(rand.NewPCG(1, uint64(who)))
				for n := range each {
					m := message(rng, who, n, w.MaxPayload())
					for {
						seen := w.Consumed()
						err := w.Append(m, 0, KindRaw)
						if err == nil {
							break
						}
						if !errors.Is(err, ErrFull) {
							t.Errorf("%d: %v", who, err)
							return
						}
						w.Wait(seen, time.Hour)
					}
				}
			})
		}
		wg.Go(func() {
			inside.Wait()
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	var batch Batch
	for active := true; active; {
		var err error
		if active, err = d.round(&batch); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	wg.Wait()
	if _, err := d.round(&batch); err != nil {
		t.Fatal(err)
	}
	for who := range processes * goroutines {
		if d.judge.next[who] != each {
			t.Errorf("goroutine %d: %d of %d records", who, d.judge.next[who], each)
		}
	}
}

// Processes come and go, some by closing and some by dying in mid-append, on
// fewer lanes than there are processes. Records, losses and gaps add up.
func TestLanesChangeHandsManyTimesWithoutLosingCount(t *testing.T) {
	t.Parallel()
	const lanes, processes, lives, each = 3, 6, 60, 20
	f := newHeapFile(t, lanes, 1024)
	d := drainer{c: f.consumer(t), judge: judge{map[int]int{}}}
	// Order holds within a lane, so each life of a process is judged by itself.
	var accepted [processes * lives]int
	var lost, torn [processes]int
	var wg sync.WaitGroup
	for process := range processes {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(process)))
			for life := range lives {
				who := process*lives + life
				b := f.open()
				p, err := attach(b, f.head, AttachOptions{Label: strings.Repeat("p", process)})
				for errors.Is(err, ErrNoFreeLane) {
					runtime.Gosched()
					p, err = attach(b, f.head, AttachOptions{})
				}
				if err != nil {
					t.Error(err)
					return
				}
				fate := rng.IntN(3)
				for n := range each {
					if n == each/4 && fate == 0 { // a goroutine that will not get further
						if _, err := p.Claim(rng.IntN(50), 0, KindRaw); err == nil {
							torn[process]++
						}
					}
					if err := p.Append(message(rng, who, accepted[who], p.MaxPayload()), 0, KindRaw); err != nil {
						p.CountLost(LostFull, 0)
						lost[process]++
						continue
					}
					accepted[who]++
				}
				if fate == 2 {
					if err := p.Close(); err != nil {
						t.Error(err)
					}
				} else {
					b.die()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var batch Batch
	for active, ended := true, false; active || !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		var err error
		if active, err = d.round(&batch); err != nil {
			t.Fatal(err)
		}
	}
	var sum Progress
	for i := range lanes {
		l := newLane(i, f.entry(i), f.lanes[i], f.head)
		p, ok := l.Progress()
		if all := l.Lost(); !ok || p.LostSeen != all.Total() {
			t.Errorf("lane %d: progress %+v, check %v, lost %d", i, p, ok, all.Total())
		}
		sum.Delivered += p.Delivered
		sum.LostSeen += p.LostSeen
		sum.Torn += p.Torn
	}
	var want Progress
	for i := range processes {
		want.LostSeen += uint64(lost[i])
		want.Torn += uint64(torn[i])
	}
	for who, n := range accepted {
		want.Delivered += uint64(n)
		if d.judge.next[who] != n {
			t.Errorf("life %d: %d records of %d", who, d.judge.next[who], n)
		}
	}
	if sum != want || want.Torn == 0 || want.LostSeen == 0 {
		t.Errorf("read %+v, want %+v", sum, want)
	}
}
