package ring

import (
	"errors"
	"strings"
	"testing"
)

func TestTheTextOfALongErrorKeepsWhatWasTriedAndWhyItFailed(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	c := f.consumer(t)
	c.ReportError(errors.New("write /" + strings.Repeat("ü", 300) + "/app.log: no space left on device"))
	got := f.inspect(t).Reader().LastError
	if !strings.HasPrefix(got, "write /ü") || !strings.HasSuffix(got, "/app.log: no space left on device") || len(got) > 256 {
		t.Errorf("got %q", got)
	}
}
