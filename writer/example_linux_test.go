package writer_test

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// exampleRing stands for the ring that "ringlog create" made.
func exampleRing() (path string, remove func()) {
	dir, err := os.MkdirTemp("", "ringlog")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "study.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 2, LaneSize: ring.MinLaneSize}); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}

func ExampleOpen() {
	path, remove := exampleRing()
	defer remove()

	w, err := writer.Open(path, writer.Options{Label: "worker-1"})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if err := w.Append(record.LevelInfo, []byte("trial 17 begins")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Stats().Lost.Total(), "lost")
	// Output: 0 lost
}

func ExampleOpen_noRing() {
	os.Unsetenv(writer.RingVariable)
	_, err := writer.Open("", writer.Options{})
	fmt.Println(errors.Is(err, writer.ErrNoRing))
	fmt.Println(err)
	// Output:
	// true
	// writer: no ring named: pass its path, or set RINGLOG_RING to it
}

func ExampleWriter_Log() {
	path, remove := exampleRing()
	defer remove()
	w, err := writer.Open(path, writer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	entry := record.Entry{
		Logger:  "trades",
		Message: "filled",
		Attrs:   []slog.Attr{slog.String("side", "buy"), slog.Any("err", errors.New("partial"))},
	}
	fmt.Println(w.Log(record.LevelWarning, &entry))
	// Output: <nil>
}

func ExampleWriter_At() {
	path, remove := exampleRing()
	defer remove()
	w, err := writer.Open(path, writer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	errorLog := log.New(w.At(record.LevelError), "", 0)
	errorLog.Print("connection lost")
	fmt.Println(w.Stats().Lost.Total(), "lost")
	// Output: 0 lost
}
