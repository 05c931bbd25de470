package record

// Tag is the type of a field, its first byte on the wire.
type Tag uint8

// Tags of attributes. 11 to 31 are reserved for further types; like every tag a
// reader does not know they are skipped and counted. 0 is never valid, so that a
// run of zero bytes is not a run of fields.
const (
	TagBool     Tag = 1  // 1 byte, 0 or 1
	TagInt      Tag = 2  // i64
	TagUint     Tag = 3  // u64
	TagFloat    Tag = 4  // bits of an IEEE-754 double
	TagString   Tag = 5  // UTF-8 by intention, any bytes in fact
	TagBytes    Tag = 6  // any bytes
	TagTime     Tag = 7  // i64 Unix seconds, u32 nanoseconds, i32 seconds east of UTC
	TagDuration Tag = 8  // i64 nanoseconds
	TagGroup    Tag = 9  // fields
	TagError    Tag = 10 // text of an error
)

// Tags that say something of the record itself. Their key is empty, and each is
// found at most once, outside all groups.
const (
	TagWallTime  Tag = 32 // i64 Unix nanoseconds: the record's own time
	TagLevel     Tag = 33 // u8 scale, i32 number, name
	TagSource    Tag = 34 // u32 line, u16 file length, file, function
	TagTraceback Tag = 35 // text
	TagStack     Tag = 36 // text
	TagProcess   Tag = 37 // name of the process
	TagThread    Tag = 38 // name of the thread
)

const (
	lastAttr  = TagError
	firstMeta = TagWallTime
	lastMeta  = TagThread
	metaCount = int(lastMeta-firstMeta) + 1
)

// Limits of the format.
const (
	MaxLogger  = 1<<16 - 1 // bytes of a logger's name
	MaxKey     = 1<<16 - 1 // bytes of a key
	MaxFile    = 1<<16 - 1 // bytes of a source file's name
	MaxPayload = 1<<32 - 1 // bytes of a payload, and so of all it contains
	MaxDepth   = 32        // groups inside one another
)

// Sizes on the wire, in bytes.
const (
	headerSize      = 8
	fieldHeaderSize = 8
	timeSize        = 16
	levelSize       = 5 // and the name
	sourceSize      = 6 // and the file and the function
)

// maxOffset bounds the zone offset of a time, in seconds either way: RFC 3339 has
// no way to write a whole day.
const maxOffset = 24*60*60 - 1

// isAttr reports whether t is an attribute of a type known here.
func (t Tag) isAttr() bool { return TagBool <= t && t <= lastAttr }

// isMeta reports whether t says something of the record itself.
func (t Tag) isMeta() bool { return firstMeta <= t && t <= lastMeta }
