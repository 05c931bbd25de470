package role

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Process is this program in a role that answers each line it is asked with one
// line. It is used by one goroutine.
type Process struct {
	command   *exec.Cmd
	questions io.WriteCloser
	answers   *bufio.Reader
}

// Ready is what such a process says first.
const Ready = "ready"

// Start starts a Command and waits until it is Ready.
func Start(ctx context.Context, program, name string, settings any) (*Process, error) {
	c, err := Command(ctx, program, name, settings)
	if err != nil {
		return nil, err
	}
	questions, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &Process{c, questions, bufio.NewReader(answers)}
	switch line, err := p.answer(); {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("the %s did not begin: %w", name, err), p.Close())
	case line != Ready:
		return nil, errors.Join(fmt.Errorf("the %s says %q: want %s", name, line, Ready), p.Close())
	}
	return p, nil
}

// Ask returns what the process answers.
func (p *Process) Ask(question string) (string, error) {
	if _, err := fmt.Fprintln(p.questions, question); err != nil {
		return "", fmt.Errorf("ask %q: %w", question, err)
	}
	answer, err := p.answer()
	if err != nil {
		return "", fmt.Errorf("no answer to %q: %w", question, err)
	}
	return answer, nil
}

func (p *Process) answer() (string, error) {
	line, err := p.answers.ReadString('\n')
	return strings.TrimSpace(line), err
}

// Close ends the questions, and so the process, and waits for it.
func (p *Process) Close() error { return errors.Join(p.questions.Close(), p.command.Wait()) }

// Answer is the other side: it says Ready, and then gives each question to f until
// there are no more.
func Answer(in io.Reader, out io.Writer, f func(question string) (answer string, err error)) error {
	if _, err := fmt.Fprintln(out, Ready); err != nil {
		return err
	}
	for questions := bufio.NewScanner(in); questions.Scan(); {
		answer, err := f(questions.Text())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}
