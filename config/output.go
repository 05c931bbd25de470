package config

import (
	"cmp"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/upkeep"
)

// config is what f says, with flags before it. What several keys make a mistake together
// is noted.
func (f *file) config(m *mistakes, o Overrides) *Config {
	c := f.Config
	defaults := f.defaults.override(o)
	for i := range f.outputs {
		out := &f.outputs[i]
		all := out.settings.over(defaults)
		if !out.badFormat() && (out.format != nil || !f.defaults.badFormat()) {
			m.checkFit(out, all.formatName())
		}
		c.Outputs = append(c.Outputs, all.output(reader.Output{Path: out.path, Loggers: out.loggers, Attrs: out.attrs}))
		// A layout and a format of times, each good, may not be so together.
		if err := checkFormat(c.Outputs[i].Format); err != nil {
			at := cmp.Or(out.at["layout"], out.at["time_format"], f.defaults.at["layout"], f.defaults.at["time_format"])
			m.add(at, out.name+": "+unprefixed(err))
		}
	}
	m.checkPaths(f.outputs)
	m.checkOpenFiles(f)
	if !f.mentionsOutputs() && len(o.Outputs) == 0 {
		m.add(position{}, `it has no outputs: want at least one, as in "outputs: [{path: logs/app.log}]"`)
	}
	if len(m.found) == 0 && len(c.Outputs) > 0 {
		// It also depends on where the process is: whether paths with fields are too long.
		if err := c.Check(); err != nil {
			m.add(position{}, unprefixed(err))
		}
	}
	if len(o.Outputs) > 0 {
		c.Outputs = nil
		for _, out := range o.Outputs {
			c.Outputs = append(c.Outputs, defaults.output(out))
		}
	}
	c.override(o)
	return &c
}

// mentionsOutputs says that there are outputs, or that it was said why there are none.
func (f *file) mentionsOutputs() bool {
	for key := range f.at {
		if _, near := nearest(key, []string{"outputs"}); near {
			return true
		}
	}
	return len(f.at) == 0 // no mapping at all
}

// override has the flags' values in the place of those of the file.
func (c *Config) override(o Overrides) {
	c.Location = cmp.Or(o.Location, c.Location)
	c.SyncEvery = cmp.Or(o.SyncEvery, c.SyncEvery)
	c.LogFormat = cmp.Or(o.LogFormat, c.LogFormat)
	if o.Sync != nil {
		c.Sync = *o.Sync
	}
	if o.Metrics != nil {
		c.Metrics = *o.Metrics
	}
}

// override returns the defaults with the flags' values in the place of those of the file,
// and with what holds where neither says anything.
func (s settings) override(o Overrides) settings {
	if o.Format != "" {
		s.format = &o.Format
	}
	if s.rotation == nil {
		s.rotation = &reader.Rotation{Size: DefaultMaxSize}
	}
	if o.MaxSize != nil {
		s.rotation = &reader.Rotation{Size: *o.MaxSize, Clock: s.rotation.Clock}
	}
	if o.Keep != nil {
		keep := valueOf(s.keep)
		keep.Count = *o.Keep
		s.keep = &keep
	}
	return s
}

// over is s, with the defaults where it says nothing. What has keys of its own, as keep
// has, is taken as a whole: to be asked for files of 30 days, and to remove all but the 14
// of the defaults, would surprise.
func (s settings) over(defaults settings) settings {
	return settings{
		level:       cmp.Or(s.level, defaults.level),
		format:      cmp.Or(s.format, defaults.format),
		layout:      cmp.Or(s.layout, defaults.layout),
		timeFormat:  cmp.Or(s.timeFormat, defaults.timeFormat),
		fields:      cmp.Or(s.fields, defaults.fields),
		rotation:    cmp.Or(s.rotation, defaults.rotation),
		keep:        cmp.Or(s.keep, defaults.keep),
		compression: cmp.Or(s.compression, defaults.compression),
		hook:        cmp.Or(s.hook, defaults.hook),
	}
}

// formatName is text where there is none.
func (s *settings) formatName() string {
	if s.format == nil {
		return "text"
	}
	return *s.format
}

// badFormat says that there is a format, and that it was a mistake.
func (s *settings) badFormat() bool {
	_, ok := s.at["format"]
	return ok && s.format == nil
}

// output adds to out, which has the place and what goes there, what s says, but for what
// does not fit it: defaults are for outputs of all kinds.
func (s *settings) output(out reader.Output) reader.Output {
	if s.level != nil && out.Level == nil {
		out.Level = *s.level
	}
	out.Format = format.Options{Name: s.formatName()}
	switch out.Format.Name {
	case "text":
		out.Format.Layout, out.Format.TimeFormat = valueOf(s.layout), valueOf(s.timeFormat)
	case "json":
		out.Format.Fields = valueOf(s.fields)
	}
	out.Rotation, out.Rotated = reader.Rotation{}, upkeep.Settings{}
	if !standard(out.Path) {
		out.Rotation = valueOf(s.rotation)
		out.Rotated = upkeep.Settings{Keep: valueOf(s.keep), Compression: valueOf(s.compression), Hook: valueOf(s.hook)}
	}
	return out
}

// valueOf is what p points to, or the zero value.
func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
