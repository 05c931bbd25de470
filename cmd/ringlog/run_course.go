package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/writer"
)

// in runs the command with the ring at path, from the opening of the outputs to the
// removal of the ring.
func (r *run) in(path string, o reader.Options, capturing bool) error {
	if err := r.open(path, o, capturing); err != nil {
		return err
	}
	defer r.view.Close()
	r.signals = catchSignals()
	r.command.Env = append(os.Environ(), writer.RingVariable+"="+path)
	err := r.command.Start()
	if r.capture != nil {
		r.capture.begin()
	}
	if err != nil {
		r.linger = 0 // there is nobody to wait for
		_, late := r.windUp()
		return errors.Join(noCommand(r.command.Args[0], err), late, r.draining.trouble())
	}
	said := false
	code, err := r.await(func() {
		said = true
		say("draining has ended: %s; the command goes on, and what is logged waits in the ring", cli.Message(r.draining.trouble()))
	})
	abandoned, late := r.windUp()
	r.report(o.Outputs, abandoned != 0)
	err = errors.Join(err, late)
	if abandoned != 0 {
		return exit(code, cli.Exit(cli.Signalled+int(abandoned), err), err)
	}
	failed := errors.Join(err, r.draining.trouble())
	var bug *cli.PanicError
	if said && !errors.As(failed, &bug) { // of which the stack is still to be shown
		return exit(code, failed, err)
	}
	return exit(code, failed, failed)
}

// exit is what ends the run: with the command's code, or if that is 0, with that of
// failed. Of what failed, only unsaid is still to be said.
func exit(code int, failed, unsaid error) error {
	if code == 0 {
		code = cli.Code(failed)
	}
	return cli.Exit(code, unsaid)
}

// open makes everything ready for the command. If it fails, a ring that was made for
// this run is gone.
func (r *run) open(path string, o reader.Options, capturing bool) (err error) {
	if r.view, err = newView(path); err != nil {
		return cli.Opening(err)
	}
	if r.draining, err = startDraining(path, o, r.made); err != nil {
		if r.made {
			err = errors.Join(err, discardRing(path))
		}
		return errors.Join(err, r.view.Close())
	}
	if !capturing {
		return nil
	}
	if r.capture, err = newCapture(path, int(r.view.Ring().LaneSize/8), r.command); err != nil {
		r.draining.finish()
		<-r.draining.ended
		return errors.Join(err, r.draining.trouble(), r.view.Close())
	}
	return nil
}

// windUp waits for whoever goes on after the command has ended, up to the linger, and
// drains the rest. A signal ends the waiting. A second one ends it all, and is
// returned: what is not drained stays in the ring.
func (r *run) windUp() (abandoned syscall.Signal, err error) {
	patience, lose := context.WithTimeout(context.Background(), r.linger)
	defer lose()
	for len(r.signals) > 0 {
		if s := <-r.signals; s == syscall.SIGTERM || s == syscall.SIGHUP {
			lose()
		} // others may be what has ended the command
	}
	second := make(chan syscall.Signal, 1)
	go func() {
		untilAsked(r.signals)
		lose()
		second <- untilAsked(r.signals)
	}()
	if r.capture != nil {
		err = r.capture.finish(patience)
	}
	r.untilDetached(patience)
	r.draining.finish()
	select {
	case <-r.draining.ended:
	case abandoned = <-second:
	}
	return abandoned, err
}

// untilAsked waits for a signal that asks the run to end.
func untilAsked(signals <-chan os.Signal) syscall.Signal {
	for {
		if s := <-signals; asksToEnd(s) {
			return s.(syscall.Signal)
		}
	}
}

// untilDetached waits until no worker is attached, the draining has ended, or ctx has.
func (r *run) untilDetached(ctx context.Context) {
	const lookEvery = 20 * time.Millisecond
	for r.view.attached() {
		select {
		case <-ctx.Done():
			return
		case <-r.draining.ended:
			return
		case <-time.After(lookEvery):
		}
	}
}
