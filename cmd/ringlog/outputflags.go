package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// Defaults of outputFlags.
const (
	defaultFormat = "text"
	defaultSize   = cli.Size(100 << 20)
	defaultKeep   = 0 // who gives no number has given no leave to remove what was accepted
	defaultSync   = reader.SyncNone
	defaultEvery  = time.Second
)

// outputFlags are the flags that say where lines go.
type outputFlags struct {
	outs []string
	form string
	size cli.Size
	keep int
	utc  bool

	sync  string
	every time.Duration
}

// define adds the flags to cmd.
func (o *outputFlags) define(cmd *cobra.Command, defaultOutput string) {
	o.size = defaultSize
	f := cmd.Flags()
	f.StringArrayVar(&o.outs, "out", []string{defaultOutput}, "where to write: PATH, SELECTOR=PATH or -; may be repeated")
	f.StringVar(&o.form, "format", defaultFormat, "form of the lines: text, json or raw (the messages alone)")
	f.Var(&o.size, "max-size", "size at which a file is rotated; 0: never")
	f.IntVar(&o.keep, "keep", defaultKeep, "how many rotated files of each output to keep; 0, the default: all")
	f.StringVar(&o.sync, "sync", defaultSync.String(), "what a power loss may cost: none (never sync), interval, or batch (sync before records leave the ring)")
	f.DurationVar(&o.every, "sync-every", defaultEvery, "with --sync interval: time between two syncs")
	f.BoolVar(&o.utc, "utc", false, "show times of text lines in UTC instead of local time")
}

// options are the flags' values, checked.
func (o *outputFlags) options() (reader.Options, error) {
	opts := reader.Options{MaxSize: int64(o.size), Keep: o.keep, Log: cli.NewLog(os.Stderr)}
	if o.keep < 0 {
		return opts, cli.Usagef("--keep %d: want 0 (all) or more", o.keep)
	}
	if _, err := format.Parse(o.form, nil); err != nil {
		return opts, cli.Usage(err)
	}
	if o.utc {
		opts.Location = time.UTC
	}
	var err error
	if opts.Sync, err = reader.ParseSync(o.sync); err != nil {
		return opts, cli.Usagef("--sync %q: want none, interval or batch", o.sync)
	}
	switch {
	case o.every <= 0:
		return opts, cli.Usagef("--sync-every %v: want more than 0s", o.every)
	case o.every != defaultEvery && opts.Sync != reader.SyncInterval:
		return opts, cli.Usagef("--sync-every %v is for --sync interval; here it is --sync %v", o.every, opts.Sync)
	}
	opts.SyncEvery = o.every
	if opts.Outputs, err = parseOutputs(o.outs, o.form); err != nil {
		return opts, err
	}
	return opts, refuseRings(opts.Outputs)
}

// words are the flags as a shell has to be given them for the same outputs.
func (o *outputFlags) words() []string {
	var words []string
	for _, out := range o.outs {
		words = append(words, "--out", cli.Quote(out))
	}
	if o.form != defaultFormat {
		words = append(words, "--format", o.form)
	}
	if o.size != defaultSize {
		words = append(words, "--max-size", o.size.String())
	}
	if o.keep != defaultKeep {
		words = append(words, "--keep", fmt.Sprint(o.keep))
	}
	if o.utc {
		words = append(words, "--utc")
	}
	if o.sync != defaultSync.String() {
		words = append(words, "--sync", o.sync)
	}
	if o.every != defaultEvery {
		words = append(words, "--sync-every", o.every.String())
	}
	return words
}
