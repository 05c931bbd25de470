package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const unit = "ringlog@.service"

func TestSystemdTakesTheUnitWithoutAWarning(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: systemd-analyze is missing; it comes with systemd")
	}
	text, err := os.ReadFile(filepath.Join("../../../docs/systemd", unit))
	if err != nil {
		t.Fatal(err)
	}
	// The program need not be installed here, but some program must be where the unit says.
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "/usr/local/bin/ringlog"
	here := strings.ReplaceAll(string(text), installed, program)
	if here == string(text) {
		t.Fatalf("the unit does not run %s", installed)
	}
	instance := filepath.Join(t.TempDir(), strings.Replace(unit, "@", "@root", 1))
	if err := os.WriteFile(instance, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "verify", instance).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
