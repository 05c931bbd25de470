package marker

import (
	"strings"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

func TestMarkersSayWhatHappenedAndHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := Place{Origin: &format.Origin{Worker: "w", PID: 7, Lane: 3}, Time: 1e9, Seq: 5, Position: 640}
	var counts ring.LossCounts
	counts[2*ring.LostTimeout] = 2
	torn := ring.Item{Outcome: ring.OutcomeTorn, Position: 640, Next: 680}
	damaged := ring.Item{Outcome: ring.OutcomeDamaged, Position: 640, Next: 680, Cause: "checksum"}
	for _, c := range []struct {
		marker Marker
		lost   uint64
		line   string
	}{
		{Lost(p, 2, counts), 2, "WARNING - lost 2 records (timeout) event=lost worker=w pid=7 lane=3 lost=2"},
		{Lost(p, 1, counts), 1, "lost 1 record (timeout)"},
		{Gap(p, &torn), 0, "torn: 40 bytes at position 640 were unfinished when their owner ended event=torn"},
		{Gap(p, &damaged), 0, "damaged: 40 bytes at position 640 (checksum) event=damaged"},
		{Vanished(p, 9, 1), 0, "worker vanished without closing its lane event=vanished worker=w pid=7 lane=3 records=9 torn=1"},
		{Damaged(p, "no sense"), 0, "damaged: no sense; whole records of the lane follow"},
	} {
		line := string(format.NewText(nil).Append(nil, &c.marker.Line))
		if !strings.Contains(line, " - "+format.OwnLogger+" - ") || !strings.Contains(line, c.line) || c.marker.Lost != c.lost {
			t.Errorf("%d lost, %q; want %d, %q", c.marker.Lost, line, c.lost, c.line)
		}
		if c.marker.Line.Position%8 == 0 || c.marker.Line.Position&^7 != p.Position || c.marker.Line.Seq != p.Seq {
			t.Errorf("position %d, number %d of %q", c.marker.Line.Position, c.marker.Line.Seq, line)
		}
		if !strings.HasSuffix(c.marker.Message, "(worker w, pid 7, lane 3)") {
			t.Errorf("message %q", c.marker.Message)
		}
	}
}
