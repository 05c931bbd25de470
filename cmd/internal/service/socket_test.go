package service

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// recv reads a message if there is one.
func recv(fd uintptr, b []byte) (int, error) {
	n, _, err := unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
	return n, err
}

// monotonic is CLOCK_MONOTONIC in microseconds.
func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

// filler is a message of fill.
const filler = "full"

// fill sends messages to the socket until it takes no more.
func fill(t *testing.T, socket string) {
	t.Helper()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		if werr := raw.Write(func(fd uintptr) bool {
			err = unix.Send(int(fd), []byte(filler), unix.MSG_DONTWAIT)
			return true
		}); werr != nil {
			t.Fatal(werr)
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
}
