package sched

import (
	"fmt"
	"strings"
)

// replay makes the moves of an earlier schedule at the same steps.
type replay struct {
	world *World
	moves []move
	used  int
}

func (r *replay) begin(w *World)    { r.world, r.used = w, 0 }
func (r *replay) started(t *thread) {}

func (r *replay) next(t *thread) move {
	if r.used < len(r.moves) {
		if m := r.moves[r.used]; m.step == r.world.steps && m.forced == (t == nil) {
			r.used++
			return m
		}
	}
	if t != nil {
		return move{}
	}
	for _, o := range r.world.threads { // where the code has changed since
		if o.runnable() {
			return move{what: switchTo, who: o.index}
		}
	}
	return move{}
}

// formatMoves and parseMoves write decisions as a line: "12>2 40!1 41:>0" is: before step
// 12 thread 2 goes on, before step 40 process 1 dies, after step 41 nobody can go on and
// thread 0 is chosen.
func formatMoves(moves []move) string {
	var b strings.Builder
	for i, m := range moves {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(&b, m.step)
		if m.forced {
			b.WriteByte(':')
		}
		b.WriteByte(" >!"[m.what])
		fmt.Fprint(&b, m.who)
	}
	return b.String()
}

func parseMoves(s string) (moves []move, err error) {
	for _, field := range strings.Fields(s) {
		var m move
		rest := field
		i := strings.IndexAny(rest, ":>!")
		if i < 0 {
			return nil, fmt.Errorf("sched: %q is no move; want STEP>THREAD or STEP!PROCESS", field)
		}
		if _, err := fmt.Sscan(rest[:i], &m.step); err != nil {
			return nil, fmt.Errorf("sched: step of move %q: %w", field, err)
		}
		if m.forced = rest[i] == ':'; m.forced {
			i++
		}
		if i >= len(rest) || rest[i] != '>' && rest[i] != '!' {
			return nil, fmt.Errorf("sched: %q is no move; want STEP>THREAD or STEP!PROCESS", field)
		}
		if m.what = switchTo; rest[i] == '!' {
			m.what = kill
		}
		if _, err := fmt.Sscan(rest[i+1:], &m.who); err != nil {
			return nil, fmt.Errorf("sched: number in move %q: %w", field, err)
		}
		moves = append(moves, m)
	}
	return moves, nil
}
