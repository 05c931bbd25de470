package format

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fields say how the members of JSON lines are named. The zero value names them as
// [JSON] says.
type Fields struct {
	// Set is the name of a set of names: "plain" or empty, what [JSON] says; "ecs", the
	// Elastic Common Schema, see [ECS]; "otel", the data model of OpenTelemetry's logs,
	// see [OTel].
	Set string
	// Names gives members of the plain set other names; those that are not mentioned
	// keep theirs. Under an empty name a member is left out: without event, nothing
	// tells the lines that ringlog itself writes from those of a worker that took their
	// logger's name.
	Names map[string]string
}

// member is one of the members of a JSON line of the plain set, in the order in which
// they are written.
type member int

const (
	memberTime member = iota
	memberLevel
	memberLogger
	memberMessage
	memberWorker
	memberPID
	memberSeq
	memberID
	memberEvent
	memberMessageBase64
	memberAttrs
	memberSource
	memberTraceback
	memberStack
	memberProcess
	memberThread
	memberLevelNumber
	memberLevelScale
	memberCount
)

var plainNames = [memberCount]string{
	"time", "level", "logger", "msg", "worker", "pid", "seq", "id", "event", "msg_base64",
	"attrs", "source", "traceback", "stack", "process", "thread", "level_number", "level_scale",
}

// newJSON returns the formatter whose lines have these members.
func newJSON(f Fields) (Formatter, error) {
	if f.Set != "" && len(f.Names) > 0 {
		return nil, fmt.Errorf("format: the set of names %q and names of one's own at once: want one of them", f.Set)
	}
	switch f.Set {
	case "", "plain":
		names, err := f.names()
		if err != nil {
			return nil, err
		}
		return jsonOf(&names), nil
	case "ecs":
		return NewECS(), nil
	case "otel":
		return NewOTel(), nil
	}
	return nil, fmt.Errorf("format: unknown set of names %q: want plain, ecs or otel, or names of one's own", f.Set)
}

// names returns the name of each member, empty for those to be left out.
func (f *Fields) names() ([memberCount]string, error) {
	names := plainNames
	var errs []error
	for _, plain := range slices.Sorted(maps.Keys(f.Names)) {
		m := slices.Index(plainNames[:], plain)
		if m < 0 {
			errs = append(errs, unknownMember(plain))
			continue
		}
		names[m] = f.Names[plain]
		if !showable(names[m]) {
			errs = append(errs, fmt.Errorf("format: the name %q of JSON's member %s has characters that cannot be shown: want another", names[m], plain))
		}
	}
	for m, name := range names {
		if first := slices.Index(names[:m], name); name != "" && first >= 0 {
			errs = append(errs, fmt.Errorf("format: JSON's members %s and %s are both named %q: want names that differ, or an empty one to leave a member out",
				plainNames[first], plainNames[m], name))
		}
	}
	return names, errors.Join(errs...)
}

func unknownMember(name string) error {
	list := strings.Join(plainNames[:], ", ")
	nearest := slices.MinFunc(plainNames[:], func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, nearest) <= len(nearest)/2 {
		return fmt.Errorf("format: JSON has no member %q: did you mean %q? There are %s", name, nearest, list)
	}
	return fmt.Errorf("format: JSON has no member %q: there are %s", name, list)
}

// distance returns how many bytes must be inserted, removed or replaced to make b of a,
// after Wagner and Fischer.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
