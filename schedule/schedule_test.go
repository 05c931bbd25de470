package schedule

import (
	"strings"
	"testing"
	"time"
)

func parse(t testing.TB, text string) Schedule {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseReadsEveryFormAndStringSaysItAgain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"never":              "never",
		"hourly":             "hourly",
		"daily":              "daily 00:00",
		"daily 00:00":        "daily 00:00",
		"daily 03:30":        "daily 03:30",
		" Daily\t23:59 ":     "daily 23:59",
		"weekly mon":         "weekly mon 00:00",
		"weekly mon 03:30":   "weekly mon 03:30",
		"weekly Sunday 3:30": "",
		"WEEKLY SUNDAY":      "weekly sun 00:00",
		"weekly sat 23:59":   "weekly sat 23:59",
	} {
		s, err := Parse(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q: got %v", text, s)
			}
			continue
		}
		if err != nil || s.String() != want || parse(t, want) != s {
			t.Errorf("%q: got %v, %v, want %s", text, s, err, want)
		}
	}
	if never := parse(t, "never"); never != (Schedule{}) {
		t.Errorf("never is %#v, not the zero value", never)
	}
}

func TestParseNamesTheTextWhatIsWrongAndWhatIsAccepted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "it is empty",
		"  ":                 "it is empty",
		"dayly":              `schedule "dayly": unknown word "dayly"`,
		"24h":                `unknown word "24h"`,
		"never ever":         `"ever" is too much`,
		"hourly 00:30":       `"00:30" is too much`,
		"daily 24:00":        `schedule "daily 24:00": "24:00" is no time of day from 00:00 to 23:59`,
		"daily 3:30":         `"3:30" is no time of day`,
		"daily 03:60":        `"03:60" is no time of day`,
		"daily 03:30:00":     `"03:30:00" is no time of day`,
		"daily +3:30":        `"+3:30" is no time of day`,
		"daily 03:30 utc":    `"utc" is too much`,
		"daily mon":          `"mon" is no time of day`,
		"weekly":             `schedule "weekly": no day`,
		"weekly 03:30":       `"03:30" is no day`,
		"weekly mo":          `"mo" is no day`,
		"weekly mon tue":     `"tue" is no time of day`,
		"weekly mon 03:30 x": `"x" is too much`,
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "; want "+forms) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzWhatParsesIsSaidAgain(f *testing.F) {
	for _, text := range []string{"never", "hourly", "daily 03:30", "weekly mon 03:30", "weekly", "daily 24:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if again := parse(t, s.String()); again != s {
			t.Errorf("%q is %v, which is %v", text, s, again)
		}
	})
}

func TestNeverHasNoNext(t *testing.T) {
	t.Parallel()
	if at := (Schedule{}).Next(time.Now()); !at.IsZero() {
		t.Errorf("next is %v", at)
	}
}
