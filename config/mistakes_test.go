package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/pathtemplate"
)

// one is the rest of a file about other keys.
const one = "outputs: [{path: a}]\n"

func TestEachMistakeHasItsPlaceAndItsMessage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", `f: it is empty: want at least outputs; "ringlog config example" prints a file to begin with`},
		{"# only a comment\n", `f: it is empty: want at least outputs; "ringlog config example" prints a file to begin with`},
		{"---\n", `f: it is empty: want at least outputs; "ringlog config example" prints a file to begin with`},
		{"...\n", `f: it is empty: want at least outputs; "ringlog config example" prints a file to begin with`},
		{"outputs", `f:1:1: the file: want keys (timezone, sync, sync_every, grace, max_open_files, metrics, log_format, defaults, outputs), not "outputs"`},
		{"- path: a\n", "f:1:1: the file: want keys (timezone, sync, sync_every, grace, max_open_files, metrics, log_format, defaults, outputs), not a list"},
		{"17\n", `f:1:1: the file: want keys (timezone, sync, sync_every, grace, max_open_files, metrics, log_format, defaults, outputs), not "17"`},
		{"\"unclosed\n", "f:1:1: not valid YAML: could not find end character of double-quoted text"},
		{"outputs: [{path: a}\n", "f:1:10: not valid YAML: sequence end token ']' not found"},
		{"a: b: c\n", "f:1:4: not valid YAML: mapping value is not allowed in this context"},
		{one + "---\n" + one, "f:2:1: a second document: a file has one"},
		{"%YAML 1.2\n---\n" + one, "f:1:1: a directive of YAML: leave it out"},
		{one + "---\n", "f:2:1: a second document: a file has one"},
		{"outputs:\n\t- path: a\n", "f:2:1: a tab: YAML is indented with blanks"},
		{"outputs:\n  - path: a\n \t  level: info\n", "f:3:2: a tab: YAML is indented with blanks"},
		{one + "# \xff\n", "f:2:3: not UTF-8: byte 0xff"},
		{one + "# \x00\n", "f:2:3: control character U+0000: YAML has none"},
		{one + "\u0085", "f:2:1: control character U+0085: YAML has none"},
		{"metrics: \"a\rb\"\n" + one, "f:1:12: control character U+000D: YAML has none"},
		{"outputs: [{path: a, loggers: &x [*x]}]\n", "f:1:33: loggers: want text or a number, not a list"},
		{"sync: &x *x\n" + one, `f:1:10: not valid YAML: unexpected scalar value type; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"&x sync: none\n" + one, "f:1:1: want a key of plain text, not an anchor"},
		{"outputs: *x\n", `f:1:10: no anchor "x" stands before this alias; a value that begins with * is to be quoted`},
		{one + "sync: !!str none\n", `f:2:7: a tag, "!!str": leave it out; a value that begins with ! is to be quoted`},
		{"sync: &s &t none\n" + one, "f:1:10: not valid YAML: unexpected scalar value type"},
		{"<<: {sync: none}\n" + one, `f:1:1: a merge key, <<: say in "defaults" what outputs have in common`},
		{"? [a]\n: b\n" + one, "f:2:1: not valid YAML: found an invalid key for this map"},
		{"? {a: b}\n: b\n" + one, "f:2:1: not valid YAML: found an invalid key for this map"},
		{"outptus: [{path: a}]\n", `f:1:1: unknown key "outptus" in the file: did you mean "outputs"?`},
		{"metrics: \"a\r\n\r\n b\"\r\nsync: often\r\n" + one, `f:1:10: metrics: "a\nb" is not an address: want HOST:PORT, such as "localhost:9464", or ":9464" for all of this machine's
f:4:7: sync: unknown sync policy "often"; want none, interval or batch`},
		{"xyz: 1\n" + one, `f:1:1: unknown key "xyz" in the file: there are timezone, sync, sync_every, grace, max_open_files, metrics, log_format, defaults, outputs`},
		{"sync: none\nsync: batch\n" + one, `f:2:1: key "sync" is in line 1 already`},
		{"sync:\n" + one, `f:1:1: "sync" has no value: give it one, or leave it out`},
		{"sync: ''\n" + one, "f:1:7: sync: it is empty: give it a value, or leave it out"},
		{"sync: [none]\n" + one, "f:1:7: sync: want text or a number, not a list"},
		{"sync: {a: b}\n" + one, "f:1:7: sync: want text or a number, not a mapping"},
		{"sync: often\n" + one, `f:1:7: sync: unknown sync policy "often"; want none, interval or batch`},
		{"timezone: Europe/Berln\n" + one, `f:1:11: timezone: unknown timezone "Europe/Berln": want local, UTC, or a name that this system's database has, such as Europe/Berlin`},
		{"timezone: ../../etc/passwd\n" + one, `f:1:11: timezone: unknown timezone "../../etc/passwd": want local, UTC, or a name that this system's database has, such as Europe/Berlin`},
		{"sync_every: 5\n" + one, `f:1:13: sync_every: "5" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"sync_every: 0s\n" + one, `f:1:13: sync_every: "0s" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"sync_every: -1s\n" + one, `f:1:13: sync_every: "-1s" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"sync_every: 1x\n" + one, `f:1:13: sync_every: "1x" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"grace: 0\n" + one, `f:1:8: grace: "0" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"max_open_files: 0\n" + one, `f:1:17: max_open_files: "0" is not a whole number from 1 to 1024`},
		{"max_open_files: 1025\n" + one, `f:1:17: max_open_files: "1025" is not a whole number from 1 to 1024`},
		{"max_open_files: -1\n" + one, `f:1:17: max_open_files: "-1" is not a whole number from 1 to 1024`},
		{"max_open_files: some\n" + one, `f:1:17: max_open_files: "some" is not a whole number from 1 to 1024`},
		{"max_open_files: 1\noutputs: [{path: \"{a}\"}, {path: \"{b}\"}]\n", "f:1:1: max_open_files: 1, and the paths of 2 outputs have fields: a record may go to all of them, so allow as many"},
		{"metrics: 9464\n" + one, `f:1:10: metrics: "9464" is not an address: want HOST:PORT, such as "localhost:9464", or ":9464" for all of this machine's`},
		{"metrics: localhost:http\n" + one, `f:1:10: metrics: "localhost:http" is not an address: want HOST:PORT, such as "localhost:9464", or ":9464" for all of this machine's`},
		{"metrics: localhost:70000\n" + one, `f:1:10: metrics: "localhost:70000" is not an address: want HOST:PORT, such as "localhost:9464", or ":9464" for all of this machine's`},
		{"metrics: [::1]:9464\n" + one, `f:1:15: not valid YAML: value is not allowed in this context; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"log_format: xml\n" + one, `f:1:13: log_format: unknown format "xml": want plain, text, logfmt or json`},
		{"defaults: []\n" + one, "f:1:11: defaults: want keys (level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not an empty list"},
		{"defaults: {}\n" + one, "f:1:11: defaults: want keys (level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not an empty mapping"},
		{"defaults: {path: a}\n" + one, `f:1:12: unknown key "path" in defaults: there are level, format, layout, time_format, json_fields, rotate, keep, compress, hook`},
		{"defaults: none\n" + one, `f:1:11: defaults: want keys (level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not "none"`},
		{"sync: none\n", `f: it has no outputs: want at least one, as in "outputs: [{path: logs/app.log}]"`},
		{"outputs:\n", `f:1:1: "outputs" has no value: give it one, or leave it out`},
		{"outputs: []\n", "f:1:10: outputs: want a list of outputs, as in [{path: logs/app.log}], not an empty list"},
		{"outputs: {path: a}\n", "f:1:10: outputs: want a list of outputs, as in [{path: logs/app.log}], not a mapping"},
		{"outputs: a.log\n", `f:1:10: outputs: want a list of outputs, as in [{path: logs/app.log}], not "a.log"`},
		{"outputs: [a.log]\n", `f:1:11: output 1: want keys (path, loggers, attrs, level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not "a.log"`},
		{"outputs: [path:a.log]\n", `f:1:11: output 1: want keys (path, loggers, attrs, level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not "path:a.log"`},
		{"outputs: [{}]\n", "f:1:11: output 1: want keys (path, loggers, attrs, level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not an empty mapping"},
		{"outputs: [null]\n", "f:1:11: output 1: want keys (path, loggers, attrs, level, format, layout, time_format, json_fields, rotate, keep, compress, hook), not nothing"},
		{"outputs: [{level: info}]\n", "f:1:11: output 1: it has no path"},
		{"outputs: [{path: ''}]\n", "f:1:18: path: it is empty: give it a value, or leave it out"},
		{"outputs: [{path: }]\n", `f:1:12: "path" has no value: give it one, or leave it out`},
		{"outputs: [{path: [a]}]\n", "f:1:18: path: want text or a number, not a list"},
		{"outputs:\n  - path: -\n", `f:2:11: not valid YAML: block sequence entries are not allowed in this context; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"outputs: [{path: logs/}]\n", `f:1:18: path: "logs/" is a folder: want a file`},
		{"outputs: [{path: ..}]\n", `f:1:18: path: ".." is a folder: want a file`},
		{"outputs: [{path: stdout}]\n", `f:1:18: path: standard output is "-"; a file of this name is ./stdout`},
		{"outputs: [{path: \"a\\0\"}]\n", `f:1:18: path "a\x00", character 2: no path has a NUL character; want a path with fields in braces, such as logs/{study}/{trial}.log, and {{ or }} for a brace`},
		{"outputs: [{path: \"logs/{a\"}]\n", `f:1:18: path "logs/{a", character 6: { without }; want a path with fields in braces, such as logs/{study}/{trial}.log, and {{ or }} for a brace`},
		{"outputs: [{path: \"{a}{b}\"}]\n", `f:1:18: path "{a}{b}", character 4: nothing that tells {a} and {b} apart: put a character between them that is no letter or digit, such as -, or a slash; want a path with fields in braces, such as logs/{study}/{trial}.log, and {{ or }} for a brace`},
		{"outputs: [{path: \"{}\"}]\n", `f:1:18: path "{}", character 1: a field without a name; want a path with fields in braces, such as logs/{study}/{trial}.log, and {{ or }} for a brace`},
		{"outputs:\n- path: {a}.log\n", `f:2:12: not valid YAML: value is not allowed in this context; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"outputs:\n- {path: logs/{a}.log}\n", `f:2:15: not valid YAML: ',' or '}' must be specified; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"outputs:\n- path: a\n- path: b\n- path: ./a\n", `f:4:3: path "./a": output 1 in line 2 has it already`},
		{"outputs: [{path: \"-\"}, {path: \"-\"}]\n", `f:1:25: path "-": output 1 in line 1 has it already`},
		{"outputs:\n- path: \"{x}\"\n- path: ./{x}\n", `f:3:3: path "./{x}": output 1 in line 2 has it already`},
		{"outputs:\n- path: a\n  formt: json\n", `f:3:3: unknown key "formt" in output 1: did you mean "format"?`},
		{"outputs: [{paht: a, path: b}]\n", `f:1:12: unknown key "paht" in output 1: did you mean "path"?`},
		{"defaults: {time_format: \" %H\"}\noutputs: [{path: a, layout: \"%(message)s %(asctime)s\"}, {path: b}]\n", `f:1:12: output 2: layout "%(asctime)s - %(name)s - %(levelname)s - %(message)s %(attrs)s" would begin lines with spaces, which tell the further lines of a record: begin with something else, or put the first field to the left, as in %(levelname)-8s`},
		{"outputs:\n- path: a\n  colour: red\n", `f:3:3: unknown key "colour" in output 1: there are path, loggers, attrs, level, format, layout, time_format, json_fields, rotate, keep, compress, hook`},
		{"outputs:\n- path: a\n  path: b\n", `f:3:3: key "path" is in line 2 already`},
		{"outputs: [{path: a, format: jsn}]\n", `f:1:29: format: unknown format "jsn": want text, logfmt, json or raw`},
		{"outputs: [{path: a, level: loud}]\n", `f:1:28: level "loud": want debug, info, warning, error or critical, or one of them with a step such as info+2`},
		{"outputs: [{path: a, level: 20}]\n", `f:1:28: level "20": want debug, info, warning, error or critical, or one of them with a step such as info+2`},
		{"outputs: [{path: a, loggers: orders}]\n", `f:1:30: loggers: want a list of names, as in [orders, trades], not "orders"`},
		{"outputs: [{path: a, loggers: []}]\n", "f:1:30: loggers: want a list of names, as in [orders, trades], not an empty list"},
		{"outputs: [{path: a, loggers: ['', [b], null]}]\n", `f:1:31: loggers: a name is empty: the logger without a name is root
f:1:35: loggers: want text or a number, not a list
f:1:40: loggers: want text or a number, not nothing`},
		{"outputs: [{path: a, attrs: [b]}]\n", "f:1:28: attrs: want attributes and their values, as in {study: wf}, not a list"},
		{"outputs: [{path: a, attrs: {b: [c], d: , e: 1, e: 2}}]\n", `f:1:32: b: want text or a number, not a list
f:1:37: "d" has no value: give it one, or leave it out
f:1:48: key "e" is in line 1 already`},
		{"outputs: [{path: a, format: json, layout: \"%(message)s\"}]\n", `f:1:35: "layout" is for format text, and output 1 is json: leave it out, or say format: text`},
		{"defaults: {format: json}\noutputs: [{path: a, time_format: \"%H\"}]\n", `f:2:21: "time_format" is for format text, and output 1 is json: leave it out, or say format: text`},
		{"outputs: [{path: a, json_fields: ecs}]\n", `f:1:21: "json_fields" is for format json, and output 1 is text: leave it out, or say format: json`},
		{"outputs: [{path: a, layout: \"{message}\"}]\n", `f:1:29: layout "{message}" has no field: the styles { and $ are not known here, write %(message)s`},
		{"outputs: [{path: a, layout: \"%(thread)s\"}]\n", `f:1:29: layout "%(thread)s" has the field %(thread)s, which records do not have: use %(threadName)s`},
		{"outputs:\n- path: a\n  time_format: \"%H:%q\"\n", `f:3:16: time_format: time format "%H:%q" has the unknown field "%q": want the fields of strftime, such as %Y-%m-%dT%H:%M:%S.%f%:z`},
		{"outputs:\n- path: a\n  layout: |\n    %(message)s\n", `f:3:11: layout "%(message)s\n" has characters that cannot be shown, such as a newline or a tab`},
		{"outputs:\n- path: a\n  layout: \"%(asctime)s %(message)s\"\n  time_format: \" %H\"\n", `f:3:3: output 1: layout "%(asctime)s %(message)s" would begin lines with spaces, which tell the further lines of a record: begin with something else, or put the first field to the left, as in %(levelname)-8s`},
		{"outputs: [{path: a, format: json, json_fields: esc}]\n", `f:1:48: json_fields: unknown set of names "esc": want plain, ecs or otel, or names of one's own`},
		{"outputs:\n- path: a\n  format: json\n  json_fields: {tme: ts, msg: \"a\\x01\"}\n", `f:4:17: JSON has no member "tme": did you mean "time"? There are time, level, logger, msg, worker, pid, seq, id, event, msg_base64, attrs, source, traceback, stack, process, thread, level_number, level_scale`},
		{"outputs:\n- path: a\n  format: json\n  json_fields: {time: ts, msg: ts}\n", `f:4:16: json_fields: JSON's members time and msg are both named "ts": want names that differ, or an empty one to leave a member out`},
		{"outputs: [{path: a, format: json, json_fields: {}}]\n", "f:1:48: json_fields: want plain, ecs, otel or names, as in {time: ts}, not an empty mapping"},
		{"outputs: [{path: a, format: json, json_fields: [ecs]}]\n", "f:1:48: json_fields: want plain, ecs, otel or names, as in {time: ts}, not a list"},
		{"outputs: [{path: a, rotate: {}}]\n", "f:1:29: rotate: want never or keys (size, clock), not an empty mapping"},
		{"outputs: [{path: a, rotate: 100MiB}]\n", `f:1:29: rotate: want never or keys (size, clock), not "100MiB"`},
		{"outputs: [{path: a, rotate: [100MiB]}]\n", "f:1:29: rotate: want never or keys (size, clock), not a list"},
		{"outputs: [{path: a, rotate: {sise: 1, clock: dayly}}]\n", `f:1:30: unknown key "sise" in rotate: did you mean "size"?
f:1:46: clock: schedule "dayly": unknown word "dayly"; want never, hourly, "daily HH:MM" or "weekly DAY HH:MM", as in "weekly mon 03:30"`},
		{"outputs: [{path: a, rotate: {size: 0, clock: weekly}}]\n", `f:1:36: size: "0" is not a size above 0: write 4MiB, 100MB or a number of bytes
f:1:46: clock: schedule "weekly": no day; want never, hourly, "daily HH:MM" or "weekly DAY HH:MM", as in "weekly mon 03:30"`},
		{"outputs: [{path: a, rotate: {size: 12 parsecs}}]\n", `f:1:36: size: "12 parsecs" is not a size above 0: write 4MiB, 100MB or a number of bytes`},
		{"outputs: [{path: a, rotate: {size: 10EB}}]\n", `f:1:36: size: "10EB" is not a size above 0: write 4MiB, 100MB or a number of bytes`},
		{"outputs: [{path: a, rotate: {size: -1}}]\n", `f:1:36: size: "-1" is not a size above 0: write 4MiB, 100MB or a number of bytes`},
		{"outputs: [{path: \"-\", rotate: {size: 1}, keep: all, compress: gzip, hook: none}]\n", `f:1:23: "rotate" is for files, and output 1 is "-": leave it out
f:1:42: "keep" is for files, and output 1 is "-": leave it out
f:1:53: "compress" is for files, and output 1 is "-": leave it out
f:1:69: "hook" is for files, and output 1 is "-": leave it out`},
		{"outputs: [{path: stderr, rotate: never}]\n", `f:1:26: "rotate" is for files, and output 1 is "stderr": leave it out`},
		{"outputs: [{path: a, keep: 14}]\n", `f:1:27: keep: want all or keys (count, age, size), not "14"`},
		{"outputs: [{path: a, keep: {count: 0, age: 30, size: 0}}]\n", `f:1:35: count: "0" is not a whole number of at least 1
f:1:43: age: "30" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w
f:1:53: size: "0" is not a size above 0: write 4MiB, 100MB or a number of bytes`},
		{"outputs: [{path: a, keep: {count: -1, age: -1d, size: 20EiB}}]\n", `f:1:35: count: "-1" is not a whole number of at least 1
f:1:44: age: "-1d" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w
f:1:55: size: "20EiB" is not a size above 0: write 4MiB, 100MB or a number of bytes`},
		{"outputs: [{path: a, keep: {count: 99999999999999999999}}]\n", `f:1:35: count: "99999999999999999999" is not a whole number of at least 1`},
		{"outputs: [{path: a, compress: bzip2}]\n", `f:1:31: compress: unknown compression "bzip2"; want none, gzip or zstd`},
		{"outputs: [{path: a, hook: /bin/true}]\n", `f:1:27: hook: want none or keys (command, timeout), not "/bin/true"`},
		{"outputs: [{path: a, hook: {timeout: 30s}}]\n", "f:1:27: hook: it has no command"},
		{"outputs: [{path: a, hook: {command: /bin/true}}]\n", `f:1:37: command: want a list of a program and its arguments, as in [/usr/local/bin/ship, --fast], not "/bin/true"`},
		{"outputs: [{path: a, hook: {command: []}}]\n", "f:1:37: command: want a list of a program and its arguments, as in [/usr/local/bin/ship, --fast], not an empty list"},
		{"outputs: [{path: a, hook: {command: ['', \"b\\0\"], timeout: 0}}]\n", `f:1:38: command: the program's name is empty
f:1:42: command: a word has a NUL character, which the system takes for its end
f:1:59: timeout: "0" is not a time above 0: write 500ms, 30s, 12h, 30d or 2w`},
		{"outputs: [{path: a, hook: {command: [a, [b]]}}]\n", "f:1:41: command: want text or a number, not a list"},
		{"sync: often\noutputs:\n- path: a\n  level: loud\n  formt: x\n- path: a\n", `f:1:7: sync: unknown sync policy "often"; want none, interval or batch
f:4:10: level "loud": want debug, info, warning, error or critical, or one of them with a step such as info+2
f:5:3: unknown key "formt" in output 1: did you mean "format"?
f:6:3: path "a": output 1 in line 3 has it already`},
		{"outputs: [{path: a, format: jsn, json_fields: ecs, layout: \"%(message)s\"}]\n", `f:1:29: format: unknown format "jsn": want text, logfmt, json or raw`},
		{"outputs: [{path: a, keep: &k {count: x}}, {path: b, keep: *k}]\n", `f:1:38: count: "x" is not a whole number of at least 1`},
		{"a: ]\n", "f:1:4: not valid YAML: could not find '[' character corresponding to ']'"},
		{"outputs: [{path: a}, *b]\n", `f:1:22: no anchor "b" stands before this alias; a value that begins with * is to be quoted`},
		{"outputs: [{path: @a}]\n", `f:1:18: not valid YAML: '@' is a reserved character; put the value in quotes, as in "-", "%(message)s" or "{trial}.log"`},
		{"outputs:\n- path: *a\n", `f:2:9: no anchor "a" stands before this alias; a value that begins with * is to be quoted`},
	} {
		_, err := Parse("f", []byte(c.text), Overrides{})
		if err == nil {
			t.Errorf("%q: accepted; want\n%s", c.text, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{strings.Repeat("#", maxBytes) + "\n", "f: it has more than 1 MiB: is this a configuration file?"},
		{strings.Repeat("#\n", maxLines+1), "f: it has more than 10000 lines: is this a configuration file?"},
		{"outputs: [{path: " + strings.Repeat("x", maxText+1) + "}]\n", "f:1:18: path: longer than 4096 bytes"},
		{strings.Repeat("[", 100_000), "f:1:21: nested too deeply"},
		{strings.Repeat("{a: ", 100_000), "f:1:81: nested too deeply"},
		{strings.Repeat("- ", 100_000), "f:1:101: nested too deeply"},
		{strings.Repeat("? ", 100_000), "f:1:101: nested too deeply"},
		{"outputs:\n" + paths(66), "f:66:3: output 65: there can be 64"},
	} {
		_, err := Parse("f", []byte(c.text), Overrides{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40q…: %.200v, want %s", c.text, err, c.want)
		}
	}
}

// paths is a list of n outputs, one a line.
func paths(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- path: %d\n", i)
	}
	return b.String()
}

func TestWhatIsAsLargeAsItMayBeIsAccepted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		one + strings.Repeat("#", maxBytes-len(one)),
		one + strings.Repeat("#\n", maxLines-1),
		"outputs:\n" + paths(64),
	} {
		if _, err := Parse("f", []byte(text), Overrides{}); err != nil {
			t.Errorf("%.40q…: %v", text, err)
		}
	}
}

// Where the process is counts for paths with fields, and Parse cannot say at which place
// of the file the fault is.
func TestPathsThatAreTooLongOnlyFromHereAreRefused(t *testing.T) {
	t.Parallel()
	long := ""
	for next := "{x}/a"; ; next += "a" {
		if _, err := pathtemplate.Parse(next); err != nil {
			break
		}
		if long = next; len(long)%200 == 0 {
			next += "/"
		}
	}
	_, err := Parse("f", []byte("outputs: [{path: '"+long+"'}]"), Overrides{})
	if err == nil || !strings.HasPrefix(err.Error(), "f: output 1 of 1 ({x}/aa") {
		t.Errorf("%.200v", err)
	}
}

// A list that each output names again has no end, if it is long.
func TestAliasesCannotMultiplyWithoutBound(t *testing.T) {
	t.Parallel()
	text := "outputs:\n- {path: x, loggers: &l [" + strings.Repeat("a,", 100_000) + "]}\n" + strings.ReplaceAll(paths(63), "\n", "\n  loggers: *l\n")
	_, err := Parse("f", []byte(text), Overrides{})
	if err == nil || !strings.HasSuffix(err.Error(), ": aliases make the file too large") {
		t.Errorf("%.200v", err)
	}
}

func TestMistakesBeyondMeasureAreNotAllTold(t *testing.T) {
	t.Parallel()
	_, err := Parse("f", []byte("{"+strings.Repeat("a: b,", 50_000)+"}"), Overrides{})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != maxMistakes {
		t.Errorf("%.200v", err)
	}
}

func TestMistakesAreErrorsWithTheirPlaceInOrder(t *testing.T) {
	t.Parallel()
	_, err := Parse("a.yaml", []byte("outputs:\n- path: é\n  formt: é\n- {path: é, é: 1}\nsync: often\n"), Overrides{})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v", err)
	}
	var at []string
	for _, err := range joined.Unwrap() {
		var e *Error
		if !errors.As(err, &e) || e.File != "a.yaml" || e.Msg == "" {
			t.Fatalf("%#v", err)
		}
		at = append(at, fmt.Sprint(e.Line, ":", e.Column))
	}
	if want := []string{"3:3", "4:4", "4:13", "5:7"}; !slices.Equal(at, want) {
		t.Errorf("%q, want %q", at, want)
	}
}
