package tables

import (
	"fmt"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// PerSecond is a rate: "4.32 M/s".
func PerSecond(rate float64) string {
	switch {
	case rate >= 1e6:
		return stats.Number(rate/1e6) + " M/s"
	case rate >= 1e3:
		return stats.Number(rate/1e3) + " k/s"
	}
	return stats.Number(rate) + " /s"
}

// Percent is a share: "83 %".
func Percent(share float64) string { return stats.Number(100*share) + " %" }

// quartiles are "52.6 .. 54.1": in ns.
func quartiles(s stats.Summary) string {
	return stats.Number(s.Q1) + " .. " + stats.Number(s.Q3)
}

// spreadOf are the quartiles in the unit of their series.
func spreadOf(s *result.Series, form func(float64) string) string {
	sum := s.Summary()
	return form(sum.Q1) + " .. " + form(sum.Q3)
}

// median is "" where there is no series.
func median(s *result.Series, form func(float64) string) string {
	if s == nil {
		return ""
	}
	return form(s.Summary().Median)
}

// bytes is a size of records: "16 B", "8 KiB".
func bytes(n float64) string {
	if n >= 1024 && int(n)%1024 == 0 {
		return fmt.Sprintf("%d KiB", int(n)/1024)
	}
	return fmt.Sprintf("%.0f B", n)
}
