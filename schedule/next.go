package schedule

import "time"

const (
	hour = 60 * 60
	day  = 24 * hour
)

// Next is the first instant of s that is after the given one, strictly, in its
// location; the zero Time if s is never.
//
// Hourly is whenever the wall clock shows a full hour. An hour that it shows twice, when
// it is set back, is two instants; one that it leaves out is none.
//
// Daily and weekly is when the wall clock first shows the time of that day or a later
// one. So a time that a day has twice counts the first time; and one that it leaves out
// counts at the instant at which the clock is set forward. There is one instant for each
// day, always.
func (s Schedule) Next(after time.Time) time.Time {
	switch s.every {
	case hourly:
		return nextFullHour(after)
	case daily, weekly:
		// The clock showed all times of earlier days, or later ones, before.
		for date := floorDiv(wall(after), day); ; date++ {
			if s.every == weekly && weekdayOf(date) != s.day {
				continue
			}
			if at := firstShown(date*day+int64(s.minute)*60, after.Location()); at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}

// wall is what the clock shows at t: the seconds that have passed at t since 1970 began
// there, had the clock never been changed.
func wall(t time.Time) int64 {
	_, offset := t.Zone()
	return t.Unix() + int64(offset)
}

func nextFullHour(after time.Time) time.Time {
	for t := after; ; {
		_, end := t.ZoneBounds()
		next := time.Unix(t.Unix()+hour-floorMod(wall(t), hour), 0).In(after.Location())
		if end.IsZero() || next.Before(end) {
			return next
		}
		if floorMod(wall(end), hour) == 0 {
			return end
		}
		t = end // from which on the clock shows other hours
	}
}

// firstShown is the first instant at which the clock shows so much, or more.
func firstShown(want int64, loc *time.Location) time.Time {
	// No clock is two days ahead of UTC. All before shows less, then.
	for start := time.Unix(want-2*day, 0).In(loc); ; {
		_, end := start.ZoneBounds()
		at := time.Unix(start.Unix()+max(0, want-wall(start)), 0).In(loc)
		if end.IsZero() || at.Before(end) {
			return at
		}
		start = end
	}
}

// weekdayOf is the day of the week of a day that is counted from 1970-01-01, a Thursday.
func weekdayOf(date int64) time.Weekday { return time.Weekday(floorMod(date+int64(time.Thursday), 7)) }

func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

func floorMod(a, b int64) int64 { return (a%b + b) % b }
