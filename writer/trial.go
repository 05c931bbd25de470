package writer

import (
	"context"
	"log/slog"

	"github.com/ringlog/ringlog/record"
)

// trialKey is the context's key for the encoded attributes of a trial.
type trialKey struct{}

// WithTrial returns a context under which every record carries the trial: study and
// trial are its first attributes. It belongs to the goroutines that use the context,
// not to the process. A [Handler] looks at the context of each record; for a
// [NamedLogger] there are [NamedLogger.For] and [NamedLogger.Trial].
func WithTrial(ctx context.Context, study string, n int) context.Context {
	return context.WithValue(ctx, trialKey{}, trialFields(study, n))
}

// trialOf returns the trial that ctx, which may be nil, was given; nil: none.
func trialOf(ctx context.Context) []byte {
	if ctx == nil {
		return nil
	}
	lead, _ := ctx.Value(trialKey{}).([]byte)
	return lead
}

func trialFields(study string, n int) []byte {
	// Neither key is too long, so there is no error.
	lead, _ := record.Fields([]slog.Attr{slog.String("study", study), slog.Int("trial", n)})
	return lead
}
