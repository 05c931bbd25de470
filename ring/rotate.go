package ring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// askAgain is how often Rotate looks whether it was served.
const askAgain = 2 * time.Millisecond

// Rotate asks the reader of the ring at path to rotate the files that it has open, and
// waits until it has tried. It takes no lane, and may be called by any number of
// processes: one rotation serves all who asked before it began.
//
// Errors: those of Attach that concern the file; ErrNoReader if there is none, or if it
// ended without serving; that of ctx. What was asked for is then done by the next reader.
func Rotate(ctx context.Context, path string) error {
	f, err := openFile(path, mmap.RDONLY)
	if err != nil {
		return err
	}
	defer f.close()
	return rotate(ctx, f, f.head)
}

func rotate(ctx context.Context, b backing, head Header) error {
	control := func(off uint64) *word { return wordAt(b.meta(), head.ControlOffset+off) }
	reader := head.ControlOffset + ctlReader
	if held, err := b.lockHeld(reader); err != nil || !held {
		return errors.Join(err, fmt.Errorf("%w of %s: nothing to rotate", ErrNoReader, b.name()))
	}
	ticket := control(ctlRotate).add(failpoint.RotateAsk, 1)
	wakeReader(control(ctlReaderFutex))
	for control(ctlRotated).load()-ticket > 1<<63 { // it is behind; the count may wrap
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("ring: waiting for the reader of %s to rotate: %w", b.name(), err)
		}
		if held, err := b.lockHeld(reader); err != nil || !held {
			return errors.Join(err, fmt.Errorf("%w of %s any more: its next one rotates", ErrNoReader, b.name()))
		}
		pause(askAgain)
	}
	return nil
}

// RotationAsked is how often somebody asked for a rotation of the outputs, if that is
// more often than was served.
func (c *Consumer) RotationAsked() (count uint64, asked bool) {
	count = c.control(ctlRotate).load()
	return count, count != c.control(ctlRotated).load()
}

// ServeRotation says that the outputs were rotated for all who had asked by the time
// when RotationAsked returned count.
func (c *Consumer) ServeRotation(count uint64) {
	c.control(ctlRotated).store(failpoint.RotateServe, count)
}
