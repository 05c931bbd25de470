package schedule

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are those of all machines
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

const layout = "2006-01-02T15:04"

// shown finds the instants of a schedule in a year, as its definition has it: by looking
// at the clock each minute.
func shown(t *testing.T, s Schedule, year int, loc *time.Location) (instants []time.Time) {
	t.Helper()
	start, end := time.Date(year, 1, 1, 0, 0, 0, 0, loc), time.Date(year+1, 1, 1, 0, 0, 0, 0, loc)
	// Of a date and time on paper, where nobody changes clocks.
	wanted := time.Date(year, 1, 1, s.minute/60, s.minute%60, 0, 0, time.UTC)
	text := wanted.Format(layout)
	for at := start; at.Before(end); at = at.Add(time.Minute) {
		if s.every == hourly {
			if at.Minute() == 0 {
				instants = append(instants, at)
			}
			continue
		}
		for now := at.Format(layout); text <= now; text = wanted.Format(layout) {
			if s.every == daily || wanted.Weekday() == s.day {
				instants = append(instants, at)
			}
			wanted = wanted.AddDate(0, 0, 1)
		}
	}
	// Midnight of a day that is left out is that of the next one.
	return slices.CompactFunc(instants, time.Time.Equal)
}

func TestEachMinuteOfAYearHasTheNextInstantThatTheClockWillShow(t *testing.T) {
	t.Parallel()
	step := time.Minute
	if testing.Short() {
		step = 13 * time.Minute
	}
	for _, c := range []struct {
		zone   string
		year   int
		hourly int // how many there are in the year
	}{
		{"UTC", 2026, 8760},
		{"Europe/Berlin", 2026, 8760},
		{"America/New_York", 2026, 8760},
		{"Asia/Kolkata", 2026, 8760},
		{"Australia/Lord_Howe", 2026, 8759}, // twice it is an hour and a half to the next full one
		{"America/Sao_Paulo", 2018, 8760},
		{"America/St_Johns", 2010, 8760}, // set back at 00:01, into the day before
		{"Asia/Pyongyang", 2015, 8760},   // half an hour, for good: the year has 8760.5
		{"Pacific/Apia", 2011, 8736},     // without the 30th of December, and daylight saving begins
	} {
		for _, text := range []string{"hourly", "daily", "daily 02:30", "daily 23:30", "weekly sun 02:00"} {
			t.Run(c.zone+" "+text, func(t *testing.T) {
				t.Parallel()
				s, loc := parse(t, text), location(t, c.zone)
				want := shown(t, s, c.year, loc)
				if s.every == hourly && len(want) != c.hourly {
					t.Errorf("%d in the year, want %d", len(want), c.hourly)
				}
				next := want
				for at := want[0].Add(-time.Minute); at.Before(want[len(want)-1]); at = at.Add(step) {
					if !at.Before(next[0]) {
						next = next[1:]
					}
					for _, in := range []time.Duration{0, time.Minute - time.Nanosecond} {
						if got := s.Next(at.Add(in)); !got.Equal(next[0]) {
							t.Fatalf("after %v: %v, want %v", at.Add(in), got, next[0])
						}
						if next[0].Sub(at) > time.Minute {
							break
						}
					}
				}
			})
		}
	}
}

func TestDailyIsOnceForEachDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone string
		year int
	}{
		{"Europe/Berlin", 2026},
		{"America/New_York", 2026},
		{"Australia/Lord_Howe", 2026},
		{"Asia/Kolkata", 2026},
		{"UTC", 2026},
		{"America/Sao_Paulo", 2018},
		{"America/St_Johns", 2010},
	} {
		loc := location(t, c.zone)
		for tenth := range 24 * 6 {
			s := Schedule{every: daily, minute: 10 * tenth}
			date := time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC)
			for at := s.Next(time.Date(c.year-1, 12, 31, 23, 59, 59, 0, loc)); at.Year() == c.year; at = s.Next(at) {
				if at.Format(time.DateOnly) != date.Format(time.DateOnly) {
					t.Fatalf("%s %v: %v, but the turn is that of %v", c.zone, s, at, date)
				}
				date = date.AddDate(0, 0, 1)
			}
			if date.Year() != c.year+1 || date.YearDay() != 1 {
				t.Errorf("%s %v: the last of the year is that before %v", c.zone, s, date)
			}
		}
	}
}

func TestOnDaysWhoseClockIsChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schedule, zone, after string
		want                  []string
	}{
		"a time left out is when the clock is set forward": {
			"daily 02:30", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		"a time shown twice counts the first time": {
			"daily 02:30", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		"asked in the hour that comes again": {
			"daily 02:30", "Europe/Berlin", "2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"},
		},
		"a midnight left out": {
			"daily", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"},
		},
		"a midnight shown twice": {
			"daily", "America/St_Johns", "2010-11-06T12:00:00-02:30",
			[]string{"2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"},
		},
		"a full hour left out": {
			"hourly", "America/New_York", "2026-03-08T01:00:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"},
		},
		"a full hour shown twice": {
			"hourly", "America/New_York", "2026-11-01T00:00:00-04:00",
			[]string{"2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"},
		},
		"half an hour forward": {
			"hourly", "Australia/Lord_Howe", "2026-10-04T00:30:00+10:30",
			[]string{"2026-10-04T01:00:00+10:30", "2026-10-04T03:00:00+11:00"},
		},
		"half an hour back": {
			"hourly", "Australia/Lord_Howe", "2026-04-05T00:30:00+11:00",
			[]string{"2026-04-05T01:00:00+11:00", "2026-04-05T02:00:00+10:30"},
		},
		"hours of half a zone": {
			"hourly", "Asia/Kolkata", "2026-07-01T10:15:30+05:30",
			[]string{"2026-07-01T11:00:00+05:30"},
		},
		"hours of a zone of odd seconds": {
			"hourly", "Europe/Amsterdam", "1936-07-01T10:00:00Z",
			[]string{"1936-07-01T10:40:28Z", "1936-07-01T11:40:28Z"},
		},
		"weekly on a day whose time is left out": {
			"weekly sun 02:30", "America/New_York", "2026-03-01T02:30:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-15T02:30:00-04:00"},
		},
		"a day left out is when the next one begins": {
			"weekly fri 03:30", "Pacific/Apia", "2011-12-24T00:00:00-10:00",
			[]string{"2011-12-31T00:00:00+14:00", "2012-01-06T03:30:00+14:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, loc := parse(t, c.schedule), location(t, c.zone)
			at, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			at = at.In(loc)
			for _, text := range c.want {
				want, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				next := s.Next(at)
				if !next.Equal(want) || next.Location() != loc {
					t.Fatalf("after %v: %v, want %s", at, next, text)
				}
				at = next
			}
		})
	}
}

// FuzzNextIsLaterAndMonotonic asks for any time in any zone, with the definition as the
// judge: no instant is left out, and each shows what it must.
func FuzzNextIsLaterAndMonotonic(f *testing.F) {
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo",
		"America/St_Johns", "Pacific/Apia", "Europe/Amsterdam", "Africa/Monrovia", "Asia/Manila", "America/Juneau",
		"Antarctica/Troll", "Africa/Casablanca", "America/Nuuk", "Asia/Tehran", "Asia/Pyongyang", "Pacific/Kwajalein",
	}
	for i := range zones {
		f.Add(int64(1_774_746_000), uint32(1), uint8(i), uint8(i), uint16(150))
		f.Add(int64(-4_000_000_000), uint32(0), uint8(i), uint8(i+1), uint16(0))
		f.Add(int64(1)<<60, uint32(0), uint8(i), uint8(i+2), uint16(1439))
		f.Add(-int64(1)<<60, uint32(0), uint8(i), uint8(i+2), uint16(1439))
	}
	f.Fuzz(func(t *testing.T, sec int64, nano uint32, zone, form uint8, minute uint16) {
		sec %= 1<<60 + 1 // within what a Time can hold
		s := Schedule{every: hourly + period(form%3)}
		if s.every != hourly {
			s.minute = int(minute) % (24 * 60)
		}
		if s.every == weekly {
			s.day = time.Weekday(form/3) % 7
		}
		loc := location(t, zones[int(zone)%len(zones)])
		after := time.Unix(sec, int64(nano%1e9)).In(loc)
		next := s.Next(after)
		if !next.After(after) || next.Location() != loc || next.Nanosecond() != 0 {
			t.Fatalf("%v after %v: %v", s, after, next)
		}
		longest := map[period]time.Duration{hourly: 2 * time.Hour, daily: 51 * time.Hour, weekly: 8*24*time.Hour + time.Hour}[s.every]
		if gap := next.Sub(after); gap > longest {
			t.Errorf("%v after %v: %v, which is %v later", s, after, next, gap)
		}
		if again := s.Next(next.Add(-time.Nanosecond)); !again.Equal(next) {
			t.Errorf("%v just before %v: %v", s, next, again)
		}
		if between := s.Next(after.Add(next.Sub(after) / 2)); !between.Equal(next) {
			t.Errorf("%v after %v: %v, and half-way to it: %v", s, after, next, between)
		}
		if s.every == hourly && floorMod(wall(next), hour) != 0 {
			t.Errorf("hourly after %v: %v", after, next)
		}
	})
}
