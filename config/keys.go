package config

import (
	"fmt"
	"math"

	"github.com/goccy/go-yaml/ast"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/schedule"
	"github.com/ringlog/ringlog/upkeep"
)

// file is a file as it is written.
type file struct {
	Config   // without Outputs
	defaults settings
	outputs  []output
	at       map[string]position // of keys
}

// settings are what outputs can say, and the defaults in their stead; nil: not said.
type settings struct {
	level       *record.Level
	format      *string
	layout      *string
	timeFormat  *string
	fields      *format.Fields
	rotation    *reader.Rotation
	keep        *logfile.Retention
	compression *logfile.Compression
	hook        *upkeep.Hook
	at          map[string]position // of keys
}

// output is one of the outputs.
type output struct {
	settings
	name    string // for messages
	path    string // empty: none, or none that can be had
	loggers []string
	attrs   []reader.AttrMatch
}

// file reads a whole file.
func (d *decoder) file(root ast.Node) *file {
	d.anchors = map[string]ast.Node{}
	f := &file{}
	v := value{d.resolve(root), "the file"}
	if v.node == nil {
		return f
	}
	f.at = d.mapping(v, "", d.fileKeys(f))
	return f
}

func (d *decoder) fileKeys(f *file) []key {
	return []key{
		{"timezone", scalar(d, &f.Location, timezone)},
		{"sync", scalar(d, &f.Sync, reader.ParseSync)},
		{"sync_every", scalar(d, &f.SyncEvery, duration)},
		{"grace", scalar(d, &f.Grace, duration)},
		{"max_open_files", scalar(d, &f.MaxOpenFiles, number(reader.MaxOpen))},
		{"metrics", scalar(d, &f.Metrics, Address)},
		{"log_format", scalar(d, &f.LogFormat, LogFormat)},
		{"defaults", func(v value) { f.defaults.at = d.mapping(v, "", d.settingsKeys(&f.defaults)) }},
		{"outputs", func(v value) { d.outputs(v, f) }},
	}
}

func (d *decoder) outputs(v value, f *file) {
	d.list(v, "a list of outputs, as in [{path: logs/app.log}]", func(i int, v value) bool {
		v.name = fmt.Sprintf("output %d", i+1)
		if i == ring.MaxOutputs {
			d.wrong(v, "there can be %d", ring.MaxOutputs)
			return false
		}
		o := output{name: v.name}
		o.at = d.mapping(v, "", d.outputKeys(&o), "path")
		f.outputs = append(f.outputs, o)
		return true
	})
}

func (d *decoder) outputKeys(o *output) []key {
	return append([]key{
		{"path", scalar(d, &o.path, d.path)},
		{"loggers", d.texts(&o.loggers, "a list of names, as in [orders, trades]", loggerName)},
		{"attrs", func(v value) {
			d.pairs(v, "attributes and their values, as in {study: wf}", func(name string, _ position, v value) {
				if text, ok := d.text(v); ok {
					o.attrs = append(o.attrs, reader.AttrMatch{Key: name, Value: text})
				}
			})
		}},
	}, d.settingsKeys(&o.settings)...)
}

func (d *decoder) settingsKeys(s *settings) []key {
	return []key{
		{"level", scalar(d, &s.level, said(record.ParseLevel))},
		{"format", scalar(d, &s.format, said(formatName))},
		{"layout", scalar(d, &s.layout, said(layout))},
		{"time_format", scalar(d, &s.timeFormat, said(timeFormat))},
		{"json_fields", func(v value) { s.fields = d.fields(v) }},
		{"rotate", section(d, &s.rotation, "never", d.rotateKeys)},
		{"keep", section(d, &s.keep, "all", d.keepKeys)},
		{"compress", scalar(d, &s.compression, said(logfile.ParseCompression))},
		{"hook", section(d, &s.hook, "none", d.hookKeys, "command")},
	}
}

// section has a mapping of keys read into a new T, or the word none, for its zero value.
func section[T any](d *decoder, dst **T, none string, keys func(*T) []key, needed ...string) func(value) {
	return func(v value) {
		*dst = new(T)
		if text, _ := textOf(v.node); text != none {
			d.mapping(v, none+" or ", keys(*dst), needed...)
		}
	}
}

func (d *decoder) rotateKeys(r *reader.Rotation) []key {
	return []key{
		{"size", scalar(d, &r.Size, size)},
		{"clock", scalar(d, &r.Clock, schedule.Parse)},
	}
}

func (d *decoder) keepKeys(r *logfile.Retention) []key {
	return []key{
		{"count", scalar(d, &r.Count, number(math.MaxInt))},
		{"age", scalar(d, &r.Age, duration)},
		{"size", scalar(d, &r.Size, size)},
	}
}

func (d *decoder) hookKeys(h *upkeep.Hook) []key {
	return []key{
		{"command", d.texts(&h.Command, "a list of a program and its arguments, as in [/usr/local/bin/ship, --fast]", d.argument)},
		{"timeout", scalar(d, &h.Timeout, duration)},
	}
}

// fields reads the name of a set of names, or names. It returns nil if there is something
// wrong with them.
func (d *decoder) fields(v value) *format.Fields {
	f := &format.Fields{}
	before := len(d.found)
	if _, ok := textOf(v.node); ok {
		scalar(d, &f.Set, func(set string) (string, error) { return set, checkFields(format.Fields{Set: set}) })(v)
	} else {
		f.Names = d.fieldNames(v)
	}
	if len(d.found) > before {
		return nil
	}
	if err := checkFields(*f); err != nil {
		d.refuse(v, err)
		return nil
	}
	return f
}

func (d *decoder) fieldNames(v value) map[string]string {
	names := map[string]string{}
	d.pairs(v, "plain, ecs, otel or names, as in {time: ts}", func(name string, at position, v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		// Of a name that is left out, only the member can be wrong.
		if err := checkFields(format.Fields{Names: map[string]string{name: ""}}); err != nil {
			d.add(at, unprefixed(err))
		}
		names[name] = text
	})
	return names
}

func checkFields(f format.Fields) error { return checkFormat(format.Options{Name: "json", Fields: f}) }
