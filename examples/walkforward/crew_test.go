package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// hire starts workers of the roles that TestMain has.
func hire(t *testing.T, roles ...string) *crew {
	t.Helper()
	c := &crew{events: make(chan event)}
	t.Cleanup(func() { c.killAll() })
	for _, role := range roles {
		p, err := start(role, role, job{})
		if err != nil {
			t.Fatal(err)
		}
		m := &member{process: p}
		c.members = append(c.members, m)
		go c.listen(m)
	}
	return c
}

func TestTrialsOfAKilledWorkerAreDoneByTheOthers(t *testing.T) {
	t.Parallel()
	c := hire(t, "mute", "quick")
	mute, quick := c.members[0], c.members[1]
	d := newDesk(newPlan(monthly(300)).trials())
	err := c.run(t.Context(), d, func() (bool, error) {
		if !mute.killed && len(d.results) == len(d.all)-ahead { // only what the mute one has is missing
			return false, mute.kill()
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.results) != len(d.all) || d.back != ahead || len(mute.given) != ahead || len(quick.given) != len(d.all) {
		t.Errorf("%d results of %d trials; %d taken back; given: %d and %d", len(d.results), len(d.all), d.back, len(mute.given), len(quick.given))
	}
	if !slices.EqualFunc(quick.given[len(quick.given)-ahead:], mute.given, func(a, b trial) bool { return a.Number == b.Number }) {
		t.Error("others than the dead worker's trials were done in the end")
	}
	if err := c.end(); err != nil || !mute.ended || !quick.ended || quick.killed {
		t.Errorf("%v; ended: %v and %v", err, mute.ended, quick.ended)
	}
}

func TestACrewWithoutALivingWorkerGivesUp(t *testing.T) {
	t.Parallel()
	c := hire(t, "mute")
	d := newDesk(newPlan(monthly(300)).trials())
	err := c.run(t.Context(), d, func() (bool, error) { return false, c.members[0].kill() })
	if err == nil || err.Error() != "no worker is left" {
		t.Error(err)
	}
}

func TestAWorkerThatFailsEndsTheRun(t *testing.T) {
	t.Parallel()
	c := hire(t, "failing")
	err := c.run(t.Context(), newDesk(newPlan(monthly(300)).trials()), func() (bool, error) { return false, nil })
	if err == nil || !strings.Contains(err.Error(), "exit status") {
		t.Error(err)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := hire(t, "mute")
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	err := c.run(ctx, newDesk(newPlan(monthly(300)).trials()), func() (bool, error) {
		stop(why)
		return false, nil
	})
	if !errors.Is(err, why) {
		t.Error(err)
	}
}
