package lines

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(r *Reader) (list []string, err error) {
	for {
		line, err := r.Next()
		if err != nil {
			return list, err
		}
		list = append(list, string(line))
	}
}

func TestNextKeepsEveryByteButTheNewline(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200_000)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"a", []string{"a"}},
		{"a\r\nb\n\nc", []string{"a\r", "b", "", "c"}},
		{"\x00\xff\n", []string{"\x00\xff"}},
		{long + "\n" + long, []string{long, long}},
	} {
		got, err := readAll(New(strings.NewReader(c.in), 1<<20))
		if !slices.Equal(got, c.want) || !errors.Is(err, io.EOF) {
			t.Errorf("%.20q: %.40q, %v", c.in, got, err)
		}
	}
}

func TestNextKeepsTheBeginOfALineThatIsTooLongAndSkipsTheRest(t *testing.T) {
	t.Parallel()
	const keep = 100_000
	in := New(strings.NewReader(strings.Repeat("y", 1_000_000)+"\nnext\n"), keep)
	got, err := readAll(in)
	if len(got) != 2 || len(got[0]) != keep || got[1] != "next" || !errors.Is(err, io.EOF) {
		t.Errorf("%d lines, %v", len(got), err)
	}
	if cap(in.long) > 2*keep {
		t.Errorf("%d bytes are held for a line of which %d are kept", cap(in.long), keep)
	}
}

func TestNextGivesTheBytesBeforeAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	got, err := readAll(New(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), 100))
	if !slices.Equal(got, []string{"a", "b"}) || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
}
