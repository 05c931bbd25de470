// Package sched explores what can happen when processes share memory: which of
// their threads makes its next access, and which process dies just before one.
//
// Code under test runs unchanged on coroutines, one for each simulated thread, and
// calls [World.Step] before each access; there the strategy at work decides who goes
// on. Nothing else makes a thread give way, so that one list of decisions is one
// schedule, always the same.
//
// [Explore] first searches by re-execution, exhaustively for as many preemptions and
// deaths as the number of schedules allows: few are enough for nearly all faults
// (Musuvathi and Qadeer, CHESS, 2007). The rest are random schedules with priorities
// that change at few points (Burckhardt and others, PCT, 2010). A schedule that fails
// is printed with its decisions, from which [Replay] makes it again.
package sched
