package format

// field is what a step of a layout shows.
type field uint8

const (
	fieldNone field = iota // at the end of a layout
	fieldAttr              // of the step's key
	fieldAttrs
	fieldTime
	fieldCreated
	fieldMsecs
	fieldLogger
	fieldLevel
	fieldLevelNumber
	fieldMessage
	fieldPath
	fieldFile
	fieldModule
	fieldSourceLine
	fieldFunction
	fieldPID
	fieldProcess
	fieldThread
	fieldWorker
	fieldSeq
	fieldID
	fieldEvent
)

// kind says which verbs a field may have.
type kind uint8

const (
	kindText   kind = iota // s only
	kindNumber             // all of them
	kindAny                // all of them, by what a record has
)

type fieldSpec struct {
	field   field
	kind    kind
	missing string // why there is no such field, and what to use
}

// fields are the names that are not those of attributes.
var fields = map[string]fieldSpec{
	"asctime":     {fieldTime, kindText, ""},
	"created":     {fieldCreated, kindNumber, ""},
	"msecs":       {fieldMsecs, kindNumber, ""},
	"name":        {fieldLogger, kindText, ""},
	"levelname":   {fieldLevel, kindText, ""},
	"levelno":     {fieldLevelNumber, kindNumber, ""},
	"message":     {fieldMessage, kindText, ""},
	"pathname":    {fieldPath, kindText, ""},
	"filename":    {fieldFile, kindText, ""},
	"module":      {fieldModule, kindText, ""},
	"lineno":      {fieldSourceLine, kindNumber, ""},
	"funcName":    {fieldFunction, kindText, ""},
	"process":     {fieldPID, kindNumber, ""},
	"processName": {fieldProcess, kindText, ""},
	"threadName":  {fieldThread, kindText, ""},

	"attrs":  {fieldAttrs, kindText, ""},
	"worker": {fieldWorker, kindText, ""},
	"pid":    {fieldPID, kindNumber, ""},
	"seq":    {fieldSeq, kindNumber, ""},
	"id":     {fieldID, kindText, ""},
	"event":  {fieldEvent, kindText, ""},

	// Python's LogRecord has these too.
	"relativeCreated": {missing: "it counts from when logging was imported into the process: use %(created)f, the time in seconds since 1970"},
	"thread":          {missing: "use %(threadName)s"},
	"taskName":        {missing: "log it as an attribute of another name"},
	"msg":             {missing: "use %(message)s, in which its arguments are"},
	"args":            {missing: "use %(message)s, which they are in"},
	"exc_info":        {missing: tracesFollow},
	"exc_text":        {missing: tracesFollow},
	"stack_info":      {missing: tracesFollow},
}

const tracesFollow = "tracebacks and stacks follow on lines of their own, whatever the layout"
