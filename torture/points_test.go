//go:build failpoints

package main

import (
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func TestEveryFailpointIsATargetOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	times := map[string]int{}
	for _, list := range [][]target{workerTargets, readerTargets, levelTargets} {
		for _, target := range list {
			times[target.point]++
		}
	}
	for point := range elsewhere {
		times[point]++
	}
	for _, p := range failpoint.All() {
		if times[p.String()] != 1 {
			t.Errorf("%v is %d times in the lists, want once", p, times[p.String()])
		}
		delete(times, p.String())
	}
	for point := range times {
		t.Errorf("%s is no failpoint", point)
	}
}
