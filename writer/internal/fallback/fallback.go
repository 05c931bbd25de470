// Package fallback writes records as lines of text, where there is no ring.
package fallback

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// Printer writes records to an output, in the form that the drain gives them.
// It may be used by any number of goroutines.
type Printer struct {
	mu      sync.Mutex
	out     io.Writer
	text    *format.Text
	payload []byte // of the last entry
	line    []byte // the last one
}

// keep is how much memory, in bytes, a Printer keeps between records.
const keep = 256 << 10

// New returns a Printer that makes one Write to out for each record.
func New(out io.Writer) *Printer {
	return &Printer{out: out, text: format.NewText(nil)}
}

// Raw writes a record that is nothing but the message p. It fails with what the
// output's Write fails with.
func (p *Printer) Raw(level record.Level, message []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.print(level, record.Raw(message))
}

// Log writes a log record. Errors: those of Raw, and of Size and Encode of
// record.Entry.
func (p *Printer) Log(level record.Level, given *record.Entry) error {
	e := *given
	e.Attrs = e.Prepared()
	n, err := e.Size()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.payload = append(p.payload[:0], make([]byte, n)...)
	if err := e.Encode(p.payload); err != nil {
		return err
	}
	return p.encoded(level, p.payload)
}

// Encoded writes a log record that is encoded already. Errors: those of Raw, and of
// record.Decode.
func (p *Printer) Encoded(level record.Level, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.encoded(level, payload)
}

func (p *Printer) encoded(level record.Level, payload []byte) error {
	r, err := record.Decode(payload)
	if err != nil {
		return fmt.Errorf("writer: reading back a record: %w", err)
	}
	return p.print(level, r)
}

func (p *Printer) print(level record.Level, r record.Record) error {
	p.line = p.text.Append(p.line[:0], &format.Line{Time: time.Now().UnixNano(), Level: level, Record: r})
	_, err := p.out.Write(p.line)
	if cap(p.line)+cap(p.payload) > keep {
		p.line, p.payload = nil, nil
	}
	if err != nil {
		return fmt.Errorf("writer: writing a record: %w", err)
	}
	return nil
}
