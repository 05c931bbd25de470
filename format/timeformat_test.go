package format

import (
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

func TestTimesAreShownAsStrftimeShowsThem(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("IST", 5*3600+1800)
	for format, want := range map[string]string{
		``:                         `2026-11-24 00:17:01,023`,
		`%Y-%m-%d %H:%M:%S`:        `2026-11-24 00:17:01`,
		`%Y-%m-%dT%H:%M:%S.%f%:z`:  `2026-11-24T00:17:01.023456+05:30`,
		`%L|%f|%N|%L`:              `023|023456|023456789|023`,
		`%s.%N`:                    `1795459621.023456789`,
		`%d.%m.%y %I:%M %p %z %Z`:  `24.11.26 12:17 AM +0530 IST`,
		`%-d.%-m. %A %b %j%%f %-H`: `24.11. Tuesday Nov 328%f 0`,
		`é %F %T é`:                `é 2026-11-24 00:17:01 é`,
		`%G-W%V-%u`:                `2026-W48-2`,
		`100%%%L`:                  `100%023`,
	} {
		f, err := New(Options{Layout: `%(asctime)s|`, TimeFormat: format, Location: zone})
		if err != nil {
			t.Errorf("%q: %v", format, err)
			continue
		}
		l := newLine(record.Raw(nil))
		l.Time = at - 1e8
		for range 2 { // the second time it is kept
			if got := string(f.Append(nil, l)); got != want+"|\n" {
				t.Errorf("%q: got %q, want %q", format, got, want)
			}
		}
	}
}

func TestFractionsCountUpBefore1970(t *testing.T) {
	t.Parallel()
	f, err := New(Options{Layout: `%(asctime)s %(msecs)03d`, TimeFormat: `%H:%M:%S.%N`, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(record.Raw(nil))
	for ns, want := range map[int64]string{-1: "23:59:59.999999999 999", -1e9: "23:59:59.000000000 000", -1_500_000_000: "23:59:58.500000000 500", 0: "00:00:00.000000000 000"} {
		l.Time = ns
		if got := string(f.Append(nil, l)); got != want+"\n" {
			t.Errorf("%d: got %q, want %q", ns, got, want)
		}
	}
}

func TestTimeFormatsThatCannotBeHadAreRefused(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		`rfc3339`:  `has no field`,
		`%%`:       `has no field`,
		`%Y %!`:    `has the unknown field "%!"`,
		`%Y %`:     `has the unknown field "%"`,
		`%Y-%-`:    `has the unknown field "%-"`,
		`%é`:       `has the unknown field "%é"`,
		`%Q`:       `has the unknown field "%Q"`,
		`%-f`:      `has the unknown field "%-f"`,
		`%:Y`:      `has the unknown field "%:Y"`,
		`%EY`:      `has the unknown field "%E"`,
		`%3N`:      `has the unknown field "%3"`,
		`%Y%n`:     `has the unknown field "%n"`,
		`%Y%t`:     `has the unknown field "%t"`,
		"%Y\n":     `has characters that cannot be shown`,
		"%Y\u2028": `has characters that cannot be shown`,
		"%Y\xff":   `has characters that cannot be shown`,
		"%\xff":    `has characters that cannot be shown`,
	} {
		_, err := New(Options{TimeFormat: format})
		if err == nil || !strings.HasPrefix(err.Error(), "format: time format \"") ||
			!strings.HasSuffix(err.Error(), `" `+want+`: want the fields of strftime, such as %Y-%m-%dT%H:%M:%S.%f%:z`) {
			t.Errorf("%q: %v", format, err)
		}
	}
}
