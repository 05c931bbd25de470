package format

import "time"

// clock writes times to the second and keeps the last one, which most lines of a
// busy log share. It is keyed by the Unix second, not by the hour of the day, so a
// change of the zone's offset needs no care.
type clock struct {
	loc    *time.Location
	layout string
	second int64
	text   []byte // of second; empty at first
}

// append appends the second that ns, in Unix nanoseconds, falls in, and returns the
// nanoseconds into it.
func (c *clock) append(dst []byte, ns int64) ([]byte, int64) {
	second, rest := ns/1e9, ns%1e9
	if rest < 0 { // before 1970
		second, rest = second-1, rest+1e9
	}
	if second != c.second || len(c.text) == 0 {
		c.second = second
		c.text = time.Unix(second, 0).In(c.loc).AppendFormat(c.text[:0], c.layout)
	}
	return append(dst, c.text...), rest
}

// appendDigits appends n in decimal with leading zeros to the given width.
func appendDigits(dst []byte, n int64, width int) []byte {
	var zeros [9]byte
	start := len(dst)
	dst = append(dst, zeros[:width]...)
	for i := start + width - 1; i >= start; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
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
	dst = appendDigits(append(dst, sign), int64(minutes/60), 2)
	return appendDigits(append(dst, ':'), int64(minutes%60), 2)
}
