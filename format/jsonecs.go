package format

import (
	"strconv"

	"github.com/ringlog/ringlog/record"
)

// ECS writes one object a line with the names of the Elastic Common Schema, dotted and
// in the order that the ecs-logging libraries have agreed on. Its members are
//
//	@timestamp, log.level, message, ecs.version
//	log.logger              name of the logger, root for the root logger
//	service.node.name       label of the worker
//	process.pid
//	event.sequence          number of the record among its owner's
//	event.id                unique; see [JSON]
//	event.action            only in lines that ringlog itself writes: lost, torn, …
//
// and then, where there is something to say, ringlog.msg_base64, labels, log.origin.file.name,
// log.origin.file.line, log.origin.function, error.stack_trace (traceback and stack,
// the one below the other), process.name, process.thread.name, and for a level that the
// ring's scale can't hold, event.severity and the ringlog.level_scale of that number.
//
// labels has the attributes. It is flat, as the schema has it: an attribute in groups is
// named by all of them, as in group_key, since the dots, asterisks and backslashes of a
// label's name are underscores. Values are those of [JSON], but that text which is not
// UTF-8 is not kept exactly.
type ECS struct {
	clock clock
	path  path
	word  []byte // scratch for a label's name
}

// ecsVersion is that of ecs-logging's libraries. It has all of these fields.
const ecsVersion = "1.6.0"

var ecsOwner = newOwnerKeys(`,"service.node.name":`, `,"process.pid":`, `,"event.sequence":`, `,"event.id":"`)

// NewECS returns a formatter for the Elastic Common Schema.
func NewECS() *ECS { return &ECS{clock: machineClock(`{"@timestamp":"`, `","log.level":"`)} }

// Append implements [Formatter].
func (e *ECS) Append(dst []byte, l *Line) []byte {
	r := &l.Record
	dst = l.appendLevel(e.clock.append(dst, l.time()), appendJSONEscaped)
	dst, valid := appendJSONString(append(dst, `","message":`...), r.Message())
	dst = append(dst, `,"ecs.version":"`+ecsVersion+`","log.logger":`...)
	dst = appendJSONLogger(dst, r)
	dst = l.appendOwner(dst, &ecsOwner)
	if l.Event != "" {
		dst, _ = appendJSONString(append(dst, `,"event.action":`...), []byte(l.Event))
	}
	if !valid {
		dst = appendBase64(append(dst, `,"ringlog.msg_base64":`...), r.Message())
	}
	if !r.IsRaw() {
		dst = e.appendFields(dst, r)
	}
	return append(dst, "}\n"...)
}

// appendFields appends the members that only some records have.
func (e *ECS) appendFields(dst []byte, r *record.Record) []byte {
	if attrs := r.Attrs(); !attrs.Empty() {
		dst = append(dst, `,"labels":`...)
		start := len(dst)
		dst = e.appendLabels(dst, attrs)
		if len(dst) == start {
			dst = append(dst, ',')
		}
		dst[start] = '{' // in the place of the first label's comma
		dst = append(dst, '}')
	}
	if source, ok := r.Source(); ok {
		dst, _ = appendJSONString(append(dst, `,"log.origin.file.name":`...), source.File)
		dst = strconv.AppendUint(append(dst, `,"log.origin.file.line":`...), uint64(source.Line), 10)
		dst, _ = appendJSONString(append(dst, `,"log.origin.function":`...), source.Function)
	}
	dst = appendStackTrace(dst, r.Traceback(), r.Stack())
	dst = appendMember(dst, `,"process.name":`, r.Process())
	dst = appendMember(dst, `,"process.thread.name":`, r.Thread())
	if own, ok := r.Level(); ok {
		dst = strconv.AppendInt(append(dst, `,"event.severity":`...), int64(own.Number), 10)
		dst = append(append(dst, `,"ringlog.level_scale":"`...), scaleName(own.Scale)...)
		dst = append(dst, '"')
	}
	return dst
}

// appendStackTrace appends the one field that there is for both.
func appendStackTrace(dst, traceback, stack []byte) []byte {
	if traceback == nil && stack == nil {
		return dst
	}
	dst = append(dst, `,"error.stack_trace":"`...)
	dst = appendJSONEscaped(dst, traceback)
	if n := len(traceback); n > 0 && traceback[n-1] != '\n' && len(stack) > 0 {
		dst = append(dst, `\n`...)
	}
	return append(appendJSONEscaped(dst, stack), '"')
}

// appendLabels appends attrs, each with a comma before it.
func (e *ECS) appendLabels(dst []byte, attrs record.Attrs) []byte {
	for a := range attrs.All() {
		if a.Value.Tag() == record.TagGroup {
			outer := e.path.enter(a.Key)
			dst = e.appendLabels(dst, a.Value.Group())
			e.path.leave(outer)
			continue
		}
		e.word = append(e.word[:0], e.path.key(a.Key)...)
		for i, b := range e.word {
			if b == '.' || b == '*' || b == '\\' {
				e.word[i] = '_'
			}
		}
		dst, _ = appendJSONString(append(dst, ','), e.word)
		dst = appendJSONScalar(append(dst, ':'), a.Value)
	}
	return dst
}
