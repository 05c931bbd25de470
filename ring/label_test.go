package ring

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLabelIsAlwaysValidAndShortEnough(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"":                       "",
		"worker":                 "worker",
		"a\xffb":                 "a\uFFFDb",
		strings.Repeat("x", 112): strings.Repeat("x", 112),
		strings.Repeat("x", 113): strings.Repeat("x", 112),
	}
	for n := 105; n < 116; n++ {
		for _, r := range []string{"é", "€", "😀"} {
			s := strings.Repeat("x", n) + r
			want := s
			if len(s) > maxLabel {
				want = strings.Repeat("x", min(n, maxLabel))
			}
			cases[s] = want
		}
	}
	for in, want := range cases {
		f := newHeapFile(t, 1, 1024)
		f.attach(t, in)
		_, l := f.reader(t, 0)
		o, ok := l.Owner()
		if !ok || o.Label != want {
			t.Errorf("label %q became %q, ok %v; want %q", in, o.Label, ok, want)
		}
		inRecord, _ := ReadOwner(l.Live(0, ownerRecordSize).Payload)
		if !utf8.ValidString(inRecord.Label) || !strings.HasPrefix(want, inRecord.Label) || len(inRecord.Label) < min(len(want), 37) {
			t.Errorf("label %q became %q in the owner record", in, inRecord.Label)
		}
	}
}

func TestOwnerRecordOfAHostileWriterHasAValidLabel(t *testing.T) {
	t.Parallel()
	p := make([]byte, ownPayload)
	copy(p[ownLabel:], "\xff\xfe!")
	if o, ok := ReadOwner(p); !ok || !utf8.ValidString(o.Label) {
		t.Errorf("label %q, ok %v", o.Label, ok)
	}
	if _, ok := ReadOwner(p[:ownPayload-1]); ok {
		t.Error("too short a payload was read")
	}
}
