// Package schedule says at which times of the clock a file is rotated: hourly, daily,
// weekly, as the wall clock of a time zone has it, and what that means on the days on
// which this clock is changed.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Schedule is a row of instants. The zero value is the empty one: never. Schedules are
// equal if they are of the same instants.
type Schedule struct {
	every  period
	day    time.Weekday // of weekly
	minute int          // of the day, of daily and weekly
}

type period uint8

const (
	never period = iota
	hourly
	daily
	weekly
)

var days = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

// Parse reads a Schedule:
//
//	never
//	hourly             at each full hour
//	daily              at 00:00
//	daily 03:30
//	weekly mon         at 00:00
//	weekly mon 03:30
//
// Days may be written in full, and capitals do not matter. The error names the text and
// these forms.
func Parse(text string) (Schedule, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return Schedule{}, fmt.Errorf("schedule: it is empty; want %s", forms)
	}
	s, rest, err := Schedule{}, words[1:], error(nil)
	switch words[0] {
	case "never":
	case "hourly":
		s.every = hourly
	case "daily":
		s.every = daily
		s.minute, rest, err = timeOfDay(rest)
	case "weekly":
		s.every = weekly
		if s.day, rest, err = weekday(rest); err == nil {
			s.minute, rest, err = timeOfDay(rest)
		}
	default:
		err = fmt.Errorf("unknown word %q", words[0])
	}
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is too much", strings.Join(rest, " "))
	}
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w; want %s", text, err, forms)
	}
	return s, nil
}

const forms = `never, hourly, "daily HH:MM" or "weekly DAY HH:MM", as in "weekly mon 03:30"`

func weekday(words []string) (day time.Weekday, rest []string, err error) {
	if len(words) == 0 {
		return 0, nil, errors.New("no day")
	}
	for day := range time.Saturday + 1 {
		if words[0] == days[day] || words[0] == strings.ToLower(day.String()) {
			return day, words[1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%q is no day", words[0])
}

// timeOfDay is 00:00 where there are no words.
func timeOfDay(words []string) (minute int, rest []string, err error) {
	if len(words) == 0 {
		return 0, nil, nil
	}
	t, err := time.Parse("15:04", words[0])
	if err != nil || len(words[0]) != len("15:04") {
		return 0, nil, fmt.Errorf("%q is no time of day from 00:00 to 23:59", words[0])
	}
	return t.Hour()*60 + t.Minute(), words[1:], nil
}

// String is what Parse reads, with the time of day always said.
func (s Schedule) String() string {
	words := []string{[...]string{"never", "hourly", "daily", "weekly"}[s.every]}
	if s.every == weekly {
		words = append(words, days[s.day])
	}
	if s.every == daily || s.every == weekly {
		words = append(words, fmt.Sprintf("%02d:%02d", s.minute/60, s.minute%60))
	}
	return strings.Join(words, " ")
}
