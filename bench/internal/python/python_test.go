package python

import (
	"strings"
	"testing"
)

func TestOutsideOfTheRepositoryItIsSkippedAndSaysWhereToRunIt(t *testing.T) {
	t.Chdir(t.TempDir())
	printed, skipped, err := Run(t.Context(), Options{Command: "python3", Rounds: 1})
	if printed != "" || !strings.Contains(skipped, "go run ./bench") || err != nil {
		t.Errorf("%q, %q, %v", printed, skipped, err)
	}
}
