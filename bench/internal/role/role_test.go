package role

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test's own binary be other processes.
func TestMain(m *testing.M) {
	Main(
		Role{"echo", func(settings []byte, in io.Reader, out io.Writer) error {
			return Answer(in, out, func(question string) (string, error) { return string(settings) + question, nil })
		}},
		Role{"echoes", func([]byte, io.Reader, io.Writer) error { return errors.New("not this one") }},
		Role{"mute", func([]byte, io.Reader, io.Writer) error { return nil }},
		Role{"rude", func(_ []byte, _ io.Reader, out io.Writer) error { fmt.Fprintln(out, "no"); return nil }},
	)
	os.Exit(m.Run())
}

func TestAProcessAnswersInItsRoleWithItsSettings(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), "", "echo", map[string]int{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"x", "y"} {
		if got, err := p.Ask(q); got != `{"a":1}`+q || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Ask("z"); err == nil {
		t.Error("it answers when it has ended")
	}
}

func TestAProcessThatDoesNotBeginIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mute", "rude", "nobody"} {
		if _, err := Start(t.Context(), "", name, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Start(t.Context(), "/no/such/program", "echo", nil); err == nil {
		t.Error("a program that is not there begins")
	}
}

func TestAnErrorEndsTheAnswers(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var out bytes.Buffer
	err := Answer(strings.NewReader("a\nb\n"), &out, func(string) (string, error) { return "", broken })
	if !errors.Is(err, broken) || out.String() != Ready+"\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}
