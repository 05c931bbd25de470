package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/config"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// Defaults of outputFlags.
const (
	defaultFormat = "text"
	defaultSize   = cli.Size(config.DefaultMaxSize)
	defaultKeep   = 0 // who gives no number has given no leave to remove what was accepted
	defaultSync   = reader.SyncNone
	defaultEvery  = time.Second
)

// outputFlags are the flags that say where lines go.
type outputFlags struct {
	config string
	outs   []string
	form   string
	size   cli.Size
	keep   int
	utc    bool

	sync  string
	every time.Duration

	metrics   string
	logFormat string

	given func(flag string) bool
}

// define adds the flags to cmd.
func (o *outputFlags) define(cmd *cobra.Command, defaultOutput string) {
	o.size = defaultSize
	f := cmd.Flags()
	o.given = f.Changed
	f.StringVar(&o.config, "config", "", "configuration file (see ringlog config example); other flags go before what it says")
	f.StringArrayVar(&o.outs, "out", []string{defaultOutput}, "where to write: PATH, SELECTOR=PATH or -; may be repeated")
	f.StringVar(&o.form, "format", defaultFormat, "form of the lines: text, logfmt, json or raw (the messages alone)")
	f.Var(&o.size, "max-size", "size at which a file is rotated; 0: never")
	f.IntVar(&o.keep, "keep", defaultKeep, "how many rotated files of each output to keep; 0, the default: all")
	f.StringVar(&o.sync, "sync", defaultSync.String(), "what a power loss may cost: none (never sync), interval, or batch (sync before records leave the ring)")
	f.DurationVar(&o.every, "sync-every", defaultEvery, "with --sync interval: time between two syncs")
	f.BoolVar(&o.utc, "utc", false, "show times of text lines in UTC instead of local time")
	f.StringVar(&o.metrics, "metrics", "", "HOST:PORT at which to show metrics to Prometheus, such as localhost:9464")
	f.StringVar(&o.logFormat, "log-format", "", "form of ringlog's own lines on standard error: plain, text, logfmt or json (default plain)")
}

// rereads says that loading again may give something else.
func (o *outputFlags) rereads() bool { return o.config != "" && o.config != "-" }

// load is what the flags say, checked, and the configuration file, if there is one.
func (o *outputFlags) load() (*config.Config, error) {
	over, err := o.overrides()
	if err != nil {
		return nil, err
	}
	var c *config.Config
	if o.config != "" {
		if c, err = config.Load(o.config, over); err != nil {
			return nil, cli.Usage(err)
		}
	} else {
		c = o.alone(over)
	}
	if c.SyncEvery != 0 && c.Sync != reader.SyncInterval && o.given("sync-every") {
		return nil, cli.Usagef("--sync-every %v is for --sync interval; here it is --sync %v", o.every, c.Sync)
	}
	if err := c.Check(); err != nil {
		return nil, cli.Usage(err)
	}
	return c, refuseRings(c.Outputs)
}

// overrides are the flags that were given.
func (o *outputFlags) overrides() (over config.Overrides, err error) {
	if o.keep < 0 {
		return over, cli.Usagef("--keep %d: want 0 (all) or more", o.keep)
	}
	if _, err := format.New(format.Options{Name: o.form}); err != nil {
		return over, cli.Usage(err)
	}
	sync, err := reader.ParseSync(o.sync)
	if err != nil {
		return over, cli.Usagef("--sync %q: want none, interval or batch", o.sync)
	}
	if o.every <= 0 {
		return over, cli.Usagef("--sync-every %v: want more than 0s", o.every)
	}
	if o.metrics != "" {
		if _, err := config.Address(o.metrics); err != nil {
			return over, cli.Usagef("--metrics: %w", err)
		}
	}
	if o.logFormat != "" {
		if _, err := config.LogFormat(o.logFormat); err != nil {
			return over, cli.Usagef("--log-format: %w", err)
		}
	}
	if o.config == "" || o.given("out") {
		if over.Outputs, err = parseOutputs(o.outs); err != nil {
			return over, err
		}
	}
	set := func(flag string, use func()) {
		if o.given(flag) {
			use()
		}
	}
	size := int64(o.size)
	set("format", func() { over.Format = o.form })
	set("max-size", func() { over.MaxSize = &size })
	set("keep", func() { over.Keep = &o.keep })
	set("sync", func() { over.Sync = &sync })
	set("sync-every", func() { over.SyncEvery = o.every })
	set("metrics", func() { over.Metrics = &o.metrics })
	over.LogFormat = o.logFormat
	if o.utc {
		over.Location = time.UTC
	}
	return over, nil
}

// alone is what the flags say where there is no file.
func (o *outputFlags) alone(over config.Overrides) *config.Config {
	c := &config.Config{Metrics: o.metrics, LogFormat: o.logFormat}
	c.Outputs, c.Location, c.SyncEvery = over.Outputs, over.Location, o.every
	if over.Sync != nil {
		c.Sync = *over.Sync
	}
	for i := range c.Outputs {
		out := &c.Outputs[i]
		out.Format.Name = o.form
		if !isStream(out.Path) {
			out.Rotation.Size, out.Rotated.Keep.Count = int64(o.size), o.keep
		}
	}
	return c
}

// words are the flags as a shell has to be given them for the same outputs.
func (o *outputFlags) words() (words []string) {
	add := func(flag, value string) { words = append(words, "--"+flag, cli.Quote(value)) }
	if o.config != "" {
		add("config", o.config)
	}
	if o.config == "" || o.given("out") {
		for _, out := range o.outs {
			add("out", out)
		}
	}
	if o.given("format") {
		add("format", o.form)
	}
	if o.given("max-size") {
		add("max-size", o.size.String())
	}
	if o.given("keep") {
		add("keep", fmt.Sprint(o.keep))
	}
	if o.utc {
		words = append(words, "--utc")
	}
	if o.given("sync") {
		add("sync", o.sync)
	}
	if o.given("sync-every") {
		add("sync-every", o.every.String())
	}
	return words
}
