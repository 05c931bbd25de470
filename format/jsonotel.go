package format

import (
	"strconv"

	"github.com/ringlog/ringlog/record"
)

// OTel writes one object a line with the names of the data model of OpenTelemetry's
// logs, and within, those of its semantic conventions. Its members are
//
//	Timestamp             Unix nanoseconds, a string since JSON's numbers may be too short
//	SeverityText          name of the level
//	SeverityNumber        5 for DEBUG, 9, 13, 17, 21 for CRITICAL; others in between
//	Body                  message
//	InstrumentationScope  {"Name": name of the logger, root for the root logger}
//	EventName             only in lines that ringlog itself writes: ringlog.lost, …
//	Resource              {"service.instance.id": label of the worker, "process.pid": …}
//	Attributes
//
// Attributes has ringlog.seq and log.record.uid, which are seq and id of [JSON], then,
// where there is something to say, ringlog.msg_base64, code.file.path, code.line.number,
// code.function.name, exception.stacktrace (traceback), code.stacktrace (stack),
// ringlog.process, thread.name, and for a level that the ring's scale can't hold,
// ringlog.level_number and ringlog.level_scale. Behind them are the record's own
// attributes, as in [JSON]; one that has such a name is under attrs.NAME.
type OTel struct{}

var otelOwner = newOwnerKeys(`,"Resource":{"service.instance.id":`, `,"process.pid":`,
	`},"Attributes":{"ringlog.seq":`, `,"log.record.uid":"`)

// NewOTel returns a formatter for the data model of OpenTelemetry's logs.
func NewOTel() OTel { return OTel{} }

// Append implements [Formatter].
func (OTel) Append(dst []byte, l *Line) []byte {
	r := &l.Record
	dst = strconv.AppendInt(append(dst, `{"Timestamp":"`...), l.time(), 10)
	dst = l.appendLevel(append(dst, `","SeverityText":"`...), appendJSONEscaped)
	dst = strconv.AppendInt(append(dst, `","SeverityNumber":`...), l.severity(), 10)
	dst, valid := appendJSONString(append(dst, `,"Body":`...), r.Message())
	dst = appendJSONLogger(append(dst, `,"InstrumentationScope":{"Name":`...), r)
	dst = append(dst, '}')
	if l.Event != "" {
		dst = appendJSONEscaped(append(dst, `,"EventName":"ringlog.`...), []byte(l.Event))
		dst = append(dst, '"')
	}
	dst = l.appendOwner(dst, &otelOwner)
	if !valid {
		dst = appendBase64(append(dst, `,"ringlog.msg_base64":`...), r.Message())
	}
	if !r.IsRaw() {
		dst = appendOTelFields(dst, r)
		dst = appendOTelAttrs(dst, r.Attrs())
	}
	return append(dst, "}}\n"...)
}

// appendOTelFields appends the attributes that only some records have.
func appendOTelFields(dst []byte, r *record.Record) []byte {
	if source, ok := r.Source(); ok {
		dst, _ = appendJSONString(append(dst, `,"code.file.path":`...), source.File)
		dst = strconv.AppendUint(append(dst, `,"code.line.number":`...), uint64(source.Line), 10)
		dst, _ = appendJSONString(append(dst, `,"code.function.name":`...), source.Function)
	}
	dst = appendMember(dst, `,"exception.stacktrace":`, r.Traceback())
	dst = appendMember(dst, `,"code.stacktrace":`, r.Stack())
	dst = appendMember(dst, `,"ringlog.process":`, r.Process())
	dst = appendMember(dst, `,"thread.name":`, r.Thread())
	if own, ok := r.Level(); ok {
		dst = strconv.AppendInt(append(dst, `,"ringlog.level_number":`...), int64(own.Number), 10)
		dst = append(append(dst, `,"ringlog.level_scale":"`...), scaleName(own.Scale)...)
		dst = append(dst, '"')
	}
	return dst
}

// appendOTelAttrs appends attrs, each with a comma before it, under names that are not
// ours.
func appendOTelAttrs(dst []byte, attrs record.Attrs) []byte {
	for a := range attrs.All() {
		if a.Value.Tag() == record.TagGroup && len(a.Key) == 0 {
			dst = appendOTelAttrs(dst, a.Value.Group()) // inlined
			continue
		}
		dst = append(dst, ',', '"')
		if ourOTelName(a.Key) {
			dst = append(dst, "attrs."...)
		}
		dst = append(appendJSONEscaped(dst, a.Key), `":`...)
		dst = appendJSONValue(dst, a.Value)
	}
	return dst
}

// ourOTelName reports whether Attributes has the name for something that is no
// attribute of the record.
func ourOTelName(name []byte) bool {
	switch string(name) {
	case "ringlog.seq", "log.record.uid", "ringlog.msg_base64",
		"code.file.path", "code.line.number", "code.function.name",
		"exception.stacktrace", "code.stacktrace", "ringlog.process", "thread.name",
		"ringlog.level_number", "ringlog.level_scale":
		return true
	}
	return false
}
