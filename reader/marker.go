//go:build linux

package reader

import "github.com/ringlog/ringlog/marker"

// lostMarker says that n records are missing here.
func (s *stream) lostMarker(n uint64, position uint64) marker.Marker {
	lost := s.lane.Lost()
	return marker.Lost(s.place(position), n, lost.Since(s.owner.BeginLost))
}

// gapMarker says that the head is not a record.
func (s *stream) gapMarker() marker.Marker { return marker.Gap(s.place(s.head.Position), s.head) }

// vanishedMarker says that the owner ended without closing its lane.
func (s *stream) vanishedMarker() marker.Marker {
	return marker.Vanished(s.place(s.now.Consumer), s.now.Delivered-s.owner.BeginDelivered, s.now.Torn-s.owner.BeginTorn)
}

// damagedMarker says that the lane's own positions are impossible.
func (s *stream) damagedMarker(cause string) marker.Marker {
	return marker.Damaged(s.place(s.published.Consumer), cause)
}

// place is where the line at hand would stand.
func (s *stream) place(position uint64) marker.Place {
	return marker.Place{Origin: s.origin, Time: s.lastTime, Seq: s.now.Sequence - s.owner.BeginSequence, Position: position}
}
