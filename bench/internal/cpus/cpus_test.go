package cpus

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// affinity is where the first thread of a process may run.
func affinity(t *testing.T, pid int) (set unix.CPUSet) {
	t.Helper()
	if err := unix.SchedGetaffinity(pid, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestWhatIsStartedApartRunsThereAndThisProcessDoesNot(t *testing.T) {
	t.Parallel()
	one, others, ok, err := Apart()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Skip("there is one processor")
	}
	all := affinity(t, 0)
	if one.Count() != 1 || others.Count() != all.Count()-1 {
		t.Fatalf("%v and %v of %v", one, others, all)
	}
	cat := exec.CommandContext(t.Context(), "cat")
	in, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := On(others, cat.Start); err != nil {
		t.Fatal(err)
	}
	if got := affinity(t, cat.Process.Pid); got != others {
		t.Errorf("it runs on %v, want %v", got, others)
	}
	for _, firstAlone := range []bool{true, false} {
		if err := Bind(cat.Process.Pid, one, firstAlone); err != nil {
			t.Error(err)
		}
		if got := affinity(t, cat.Process.Pid); got != one {
			t.Errorf("it runs on %v, want %v", got, one)
		}
		if err := Bind(cat.Process.Pid, others, firstAlone); err != nil {
			t.Error(err)
		}
	}
	if got := affinity(t, 0); got != all {
		t.Errorf("this process runs on %v, want %v", got, all)
	}
	in.Close()
	if err := cat.Wait(); err != nil {
		t.Error(err)
	}
	if err := Bind(cat.Process.Pid, one, false); err == nil {
		t.Error("a process that has ended is bound")
	}
	if err := On(unix.CPUSet{}, func() error { t.Error("on no processor"); return nil }); err == nil {
		t.Error("no processor is one")
	}
}
