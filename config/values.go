package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/format"
)

// size reads a number of bytes, as the flags do.
func size(text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 0, fmt.Errorf("%q is not a size above 0: write 4MiB, 100MB or a number of bytes", text)
	}
	return int64(n), nil
}

// units are those that time.ParseDuration does not have, the greater one first.
var units = [...]struct {
	name string
	is   time.Duration
}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}}

// duration reads a time as time.ParseDuration does, before which there may be weeks and
// days: 2w, 30d, 1d12h, 500ms.
func duration(text string) (time.Duration, error) {
	refused := fmt.Errorf("%q is not a time above 0: write 500ms, 30s, 12h, 30d or 2w", text)
	total, rest := time.Duration(0), text
	for _, unit := range units {
		number, behind, ok := strings.Cut(rest, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil || time.Duration(n) > (math.MaxInt64-total)/unit.is {
			return 0, refused
		}
		total, rest = total+time.Duration(n)*unit.is, behind
	}
	if rest != "" || total == 0 {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > math.MaxInt64-total {
			return 0, refused
		}
		total += d
	}
	if total == 0 {
		return 0, refused
	}
	return total, nil
}

// number returns what reads a whole number from 1 to most.
func number(most int) func(string) (int, error) {
	want := "of at least 1"
	if most < math.MaxInt {
		want = fmt.Sprintf("from 1 to %d", most)
	}
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("%q is not a whole number %s", text, want)
		}
		return n, nil
	}
}

func timezone(text string) (*time.Location, error) {
	switch strings.ToLower(text) {
	case "local":
		return time.Local, nil
	case "utc":
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("unknown timezone %q: want local, UTC, or a name that this system's database has, such as Europe/Berlin", text)
	}
	return loc, nil
}

// Address returns text if it is a HOST:PORT at which a server can listen, as Metrics must
// be. Neither is looked up. The error quotes text and says what is wanted.
func Address(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf(`%q is not an address: want HOST:PORT, such as "localhost:9464", or ":9464" for all of this machine's`, text)
	}
	return text, nil
}

func formatName(text string) (string, error) { return text, checkFormat(format.Options{Name: text}) }

func layout(text string) (string, error) { return text, checkFormat(format.Options{Layout: text}) }

// timeFormat checks it where it may begin with anything.
func timeFormat(text string) (string, error) {
	return text, checkFormat(format.Options{TimeFormat: text, Layout: "%(message)s %(asctime)s"})
}

// LogFormat returns text if it is a format of ringlog's own lines. The error quotes text
// and says what is wanted.
func LogFormat(text string) (string, error) {
	if !slices.Contains([]string{"plain", "text", "logfmt", "json"}, text) {
		return "", fmt.Errorf("unknown format %q: want plain, text, logfmt or json", text)
	}
	return text, nil
}

// said makes the result of parse a pointer, of which nil means that nothing was said.
func said[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(text string) (*T, error) {
		parsed, err := parse(text)
		if err != nil {
			return nil, err
		}
		return &parsed, nil
	}
}

// loggerName checks the name of a logger.
func loggerName(_ int, text string) error {
	if text == "" {
		return errors.New("a name is empty: the logger without a name is root")
	}
	return nil
}

// argument checks a word of a command, of which the first is the program.
func argument(i int, text string) error {
	switch {
	case i == 0 && text == "":
		return errors.New("the program's name is empty")
	case strings.ContainsRune(text, 0):
		return errors.New("a word has a NUL character, which the system takes for its end")
	}
	return nil
}
