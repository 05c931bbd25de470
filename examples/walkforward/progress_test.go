package main

import (
	"bytes"
	"os"
	"testing"
)

func TestOnlyATerminalThatCanIsDrawnOver(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	defer terminal.Close()
	for kind, want := range map[string]bool{"xterm-256color": true, "linux": true, "dumb": false, "": false} {
		if got := redraws(terminal, kind); got != want {
			t.Errorf("TERM=%s: %v", kind, got)
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if redraws(null, "xterm") || redraws(new(bytes.Buffer), "xterm") {
		t.Error("what is no terminal is drawn over")
	}
}

func TestProgressHasNoEscapesWhereNothingIsDrawnOver(t *testing.T) {
	t.Parallel()
	for _, redraws := range []bool{false, true} {
		var out bytes.Buffer
		p := newProgress(&out, redraws)
		p.every = 0
		p.show(1, 2, func() int { return 7 })
		p.say("said")
		p.end()
		if bytes.ContainsAny(out.Bytes(), "\x1b\r") != redraws || !bytes.Contains(out.Bytes(), []byte(" 50 %  1 of 2 trials, ")) {
			t.Errorf("%v: %q", redraws, &out)
		}
	}
}
