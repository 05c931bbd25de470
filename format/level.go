package format

import "github.com/ringlog/ringlog/record"

// appendLevel appends the level to show with escape, which makes the name that a
// record may bring harmless.
func (l *Line) appendLevel(dst []byte, escape func(dst, s []byte) []byte) []byte {
	own, ok := l.Record.Level()
	switch {
	case !ok:
		return l.Level.Append(dst)
	case len(own.Name) > 0:
		return escape(dst, own.Name)
	default:
		return own.Append(dst)
	}
}

// Steps of a stored level in one of Python's and in one of slog's.
const (
	perPython = 2
	perSlog   = 5
)

// level returns the level to show as the ring would store it, if it could.
func (l *Line) level() int64 {
	own, ok := l.Record.Level()
	switch {
	case !ok:
		return int64(l.Level)
	case own.Scale == record.ScaleSlog:
		return int64(own.Number) * perSlog
	default:
		return (int64(own.Number) - 20) * perPython
	}
}

// pythonLevel returns Python's number for the level to show: 10 for DEBUG to 50 for
// CRITICAL. A level of slog's that is between two of Python's is the lower one.
func (l *Line) pythonLevel() int64 { return floorDiv(l.level(), perPython) + 20 }

// severity returns OpenTelemetry's SeverityNumber for the level to show: 5 for DEBUG,
// 9, 13, 17, and 21 for CRITICAL, which is FATAL there. It is slog's number and 9, by
// the appendix of the logs data model and as OpenTelemetry's bridge for slog has it.
func (l *Line) severity() int64 { return min(max(floorDiv(l.level(), perSlog)+9, 1), 24) }

func floorDiv(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}
