package golog

import (
	"io"
	"log/slog"
	"net"
	"slices"

	phuslu "github.com/phuslu/log"
	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/peer"
)

// All are the loggers.
var All = slices.Concat(
	each(slogJSON, "log/slog JSON", "slog.NewJSONHandler, without the source of the call"),
	each(slogText, "log/slog text", "slog.NewTextHandler, without the source of the call"),
	each(zapJSON, "zap", "zapcore.NewCore with the encoder of NewProductionConfig, without its sampling and the call's source"),
	each(zerologJSON, "zerolog", "zerolog.New(w).With().Timestamp()"),
	each(phusluJSON, "phuslu/log", "log.Logger with an IOWriter"),
	[]Kind{lumberjacked, appended, datagrams, Nothing},
)

// Nothing shows what measuring takes.
var Nothing = Kind{
	info: peer.Info{Name: "no call at all", Language: "Go", Setting: "what measuring takes: a look at the clock", Payloads: []peer.Payload{peer.Fields}},
	open: func(string, payload.Texts) (peer.Logger, io.Closer, error) {
		return repeat(func(int) {}), io.NopCloser(nil), nil
	},
}

var (
	lumberjacked = Kind{
		info: fields("zerolog, lumberjack", "zerolog to a lumberjack.Logger, which has a mutex, and one process only", 1), file: true,
		open: func(path string, _ payload.Texts) (peer.Logger, io.Closer, error) {
			l := &lumberjack.Logger{Filename: path, MaxSize: 10_000}
			return zerologJSON(l), l, nil
		},
	}
	appended = Kind{
		info: texts("write(2), O_APPEND", "each process writes its own lines to one file; by POSIX they stay whole", 0), file: true,
		open: func(path string, texts payload.Texts) (peer.Logger, io.Closer, error) {
			f, err := appendTo(path)
			if err != nil {
				return peer.Logger{}, nil, err
			}
			return writes(f, texts, "\n"), f, nil
		},
	}
	datagrams = Kind{
		info: texts("Unix datagram socket", "each process sends its lines to a collector, which writes once a millisecond, or 256 KiB", 0), socket: true,
		open: func(path string, texts payload.Texts) (peer.Logger, io.Closer, error) {
			c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				return peer.Logger{}, nil, err
			}
			return writes(c, texts, "\n"), c, nil
		},
	}
)

func fields(name, setting string, processes int) peer.Info {
	return peer.Info{Name: name, Language: "Go", Setting: setting, Payloads: []peer.Payload{peer.Fields}, Processes: processes}
}

func texts(name, setting string, processes int) peer.Info {
	i := fields(name, setting, processes)
	i.Payloads = []peer.Payload{peer.Message}
	return i
}

// each is a logger twice: to nowhere and to a file.
func each(make func(io.Writer) peer.Logger, name, setting string) []Kind {
	return []Kind{
		{
			info: fields(name+" → nowhere", setting+"; io.Discard", 0),
			open: func(string, payload.Texts) (peer.Logger, io.Closer, error) {
				return make(io.Discard), io.NopCloser(nil), nil
			},
		},
		{
			info: fields(name+" → file", setting+"; a file opened with O_APPEND", 0), file: true,
			open: func(path string, _ payload.Texts) (peer.Logger, io.Closer, error) {
				f, err := appendTo(path)
				if err != nil {
					return peer.Logger{}, nil, err
				}
				return make(f), f, nil
			},
		},
	}
}

func slogJSON(to io.Writer) peer.Logger { return peer.SlogCalls(slog.NewJSONHandler(to, nil)) }
func slogText(to io.Writer) peer.Logger { return peer.SlogCalls(slog.NewTextHandler(to, nil)) }

func zapJSON(to io.Writer) peer.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	l := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(to), zapcore.InfoLevel))
	return repeat(func(i int) {
		l.Info(peer.FieldsText, zap.Int("trial", i), zap.Float64("price", peer.Price), zap.String("symbol", peer.Symbol))
	})
}

func zerologJSON(to io.Writer) peer.Logger {
	l := zerolog.New(to).With().Timestamp().Logger()
	return repeat(func(i int) {
		l.Info().Int("trial", i).Float64("price", peer.Price).Str("symbol", peer.Symbol).Msg(peer.FieldsText)
	})
}

func phusluJSON(to io.Writer) peer.Logger {
	l := phuslu.Logger{Level: phuslu.InfoLevel, Writer: phuslu.IOWriter{Writer: to}}
	return repeat(func(i int) {
		l.Info().Int("trial", i).Float64("price", peer.Price).Str("symbol", peer.Symbol).Msg(peer.FieldsText)
	})
}

// repeat makes calls of loggers that return no error.
func repeat(one func(i int)) peer.Logger {
	return peer.Logger{
		Log: func(n int) error {
			for i := range n {
				one(i)
			}
			return nil
		},
		One: func(i int) error { one(i); return nil },
	}
}

// writes are texts, one a system call, each with an ending.
func writes(to io.Writer, all payload.Texts, ending string) peer.Logger {
	lines := make([][]byte, len(all))
	for i, text := range all {
		lines[i] = append(append([]byte(nil), text...), ending...)
	}
	next := 0
	one := func(int) error {
		line := lines[next]
		if next++; next == len(lines) {
			next = 0
		}
		_, err := to.Write(line)
		return err
	}
	return peer.Logger{One: one, Log: func(n int) error {
		for i := range n {
			if err := one(i); err != nil {
				return err
			}
		}
		return nil
	}}
}
