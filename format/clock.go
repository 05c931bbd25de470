package format

import (
	"time"

	"github.com/ncruces/go-strftime"
)

// clock writes times, and keeps the text of the last second, which most lines of a
// busy log share. It is keyed by the Unix second, not by the hour of the day, so a
// change of the zone's offset needs no care.
type clock struct {
	loc    *time.Location
	parts  []timePart
	second int64
	text   []byte // of second, with zeros for its fractions; empty at first
}

// timePart is a piece of a time's format that lasts for a second, and the fraction of
// the second that follows it.
type timePart struct {
	format string // as for strftime
	digits int    // of the fraction: 3, 6, 9, or 0 for none
	end    int    // of the fraction in clock.text
}

// append appends the time ns, in Unix nanoseconds.
func (c *clock) append(dst []byte, ns int64) []byte {
	second := ns / 1e9
	rest := ns - second*1e9
	if rest < 0 { // before 1970
		second, rest = second-1, rest+1e9
	}
	if second != c.second || len(c.text) == 0 {
		c.set(second)
	}
	start := len(dst)
	dst = append(dst, c.text...)
	text, fraction := dst[start:], uint32(rest)
	for i := range c.parts {
		switch p := &c.parts[i]; p.digits {
		case 3:
			putDigits(text[p.end-3:p.end], fraction/1e6)
		case 6:
			putDigits(text[p.end-6:p.end], fraction/1e3)
		case 9:
			putDigits(text[p.end-9:p.end], fraction)
		}
	}
	return dst
}

func (c *clock) set(second int64) {
	t := time.Unix(second, 0).In(c.loc)
	c.second, c.text = second, c.text[:0]
	for i := range c.parts {
		p := &c.parts[i]
		c.text = strftime.AppendFormat(c.text, p.format, t)
		c.text = append(c.text, "000000000"[:p.digits]...)
		p.end = len(c.text)
	}
}

// putDigits fills dst with n in decimal, with leading zeros. Two digits at a time: each
// division waits for the one before.
func putDigits(dst []byte, n uint32) {
	i := len(dst) - 1
	for ; i > 0; i -= 2 {
		two := n % 100
		n /= 100
		dst[i-1], dst[i] = byte('0'+two/10), byte('0'+two%10)
	}
	if i == 0 {
		dst[0] = byte('0' + n%10)
	}
}

// appendDigits appends n in decimal with leading zeros to the given width.
func appendDigits(dst []byte, n uint32, width int) []byte {
	dst = append(dst, "000000000"[:width]...)
	putDigits(dst[len(dst)-width:], n)
	return dst
}

// appendTime appends t, which is in UTC, as RFC 3339 with nanoseconds and the zone
// it was logged in, offset seconds east.
func appendTime(dst []byte, t time.Time, offset int) []byte {
	t = t.Add(time.Duration(offset) * time.Second)
	dst = t.AppendFormat(dst, "2006-01-02T15:04:05.999999999")
	// RFC 3339 has no seconds in a zone; like package time, leave them off.
	minutes := offset / 60
	if minutes == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	dst = appendDigits(append(dst, sign), uint32(minutes/60), 2)
	return appendDigits(append(dst, ':'), uint32(minutes%60), 2)
}
