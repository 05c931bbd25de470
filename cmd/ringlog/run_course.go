package main

import (
	"errors"
	"os"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/config"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// in runs the command with the ring at path, from the opening of the outputs to the
// removal of the ring.
func (r *run) in(path string, outs *outputFlags, c *config.Config, capturing bool) error {
	if err := r.open(path, outs, c, capturing); err != nil {
		return notRun(err)
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
	r.report(r.draining.now.Outputs, abandoned != 0)
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
func (r *run) open(path string, outs *outputFlags, c *config.Config, capturing bool) (err error) {
	if r.view, err = newView(path); err != nil {
		return cli.Opening(err)
	}
	if r.draining, err = startDraining(path, outs, c, r.made); err != nil {
		if r.made {
			err = errors.Join(err, ring.Discard(path))
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
