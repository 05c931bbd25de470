package loggers_test

import (
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// A Writer is a zapcore.WriteSyncer: each of zap's lines becomes one record, at INFO
// for the ring. The line itself has zap's level.
func Example_zap() {
	w, show := example()
	defer show()

	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "" // the record has its time
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), w, zap.DebugLevel))
	logger.Info("order filled", zap.Int("trial", 17), zap.Float64("price", 101.25))
	// Output:
	// root INFO {"level":"info","msg":"order filled","trial":17,"price":101.25}
}

// With one core for each range of levels, the ring knows them as well: what is kept
// free in a full lane for WARNING and above is then for zap's warnings too.
func Example_zapWithLevels() {
	w, show := example()
	defer show()

	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	at := func(zl zapcore.Level, level record.Level, more bool) zapcore.Core {
		only := zap.LevelEnablerFunc(func(l zapcore.Level) bool { return l == zl || more && l > zl })
		return zapcore.NewCore(encoder, zapcore.AddSync(w.At(level)), only)
	}
	logger := zap.New(zapcore.NewTee(
		at(zap.DebugLevel, record.LevelDebug, false), at(zap.InfoLevel, record.LevelInfo, false),
		at(zap.WarnLevel, record.LevelWarning, false), at(zap.ErrorLevel, record.LevelError, true),
	))
	logger.Debug("considered")
	logger.Warn("slow", zap.Int("ms", 250))
	// Output:
	// root DEBUG {"msg":"considered"}
	// root WARNING {"msg":"slow","ms":250}
}

// zerolog writes each event with one Write, which becomes one record.
func Example_zerolog() {
	w, show := example()
	defer show()

	logger := zerolog.New(w)
	logger.Warn().Int("trial", 17).Msg("order rejected")
	// Output:
	// root INFO {"level":"warn","trial":17,"message":"order rejected"}
}

// So does the standard library's log.
func Example_log() {
	w, show := example()
	defer show()

	log.SetFlags(0) // the record has its time
	log.SetOutput(w)
	defer log.SetOutput(os.Stderr)
	log.Print("trial 17 begins")
	// Output:
	// root INFO trial 17 begins
}

// slog's records keep all they have: level, name, attributes with their types.
func Example_slog() {
	w, show := example()
	defer show()

	logger := slog.New(writer.NewHandler(w, writer.HandlerOptions{Logger: "orders"}))
	logger.Warn("rejected", "trial", 17, "took", 250*time.Millisecond)
	// Output:
	// orders WARNING rejected trial=17 took=250ms
}

// example returns a writer to a ring, and what prints what the ring holds in the
// end, without the times.
func example() (w *writer.Writer, show func()) {
	dir, err := os.MkdirTemp("", "ringlog")
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, "example.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: ring.MinLaneSize}); err != nil {
		log.Fatal(err)
	}
	if w, err = writer.Open(path, writer.Options{}); err != nil {
		log.Fatal(err)
	}
	return w, func() {
		if err := w.Close(); err != nil {
			log.Fatal(err)
		}
		in, err := ring.Inspect(path)
		if err != nil {
			log.Fatal(err)
		}
		text := format.NewText(time.UTC)
		for l := range dump.Scan(in, dump.Options{}).Lines() {
			parts := strings.SplitN(string(text.Append(nil, &l.Line)), " - ", 4)
			fmt.Print(strings.Join(parts[1:], " "))
		}
		if err := in.Close(); err != nil {
			log.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			log.Fatal(err)
		}
	}
}
