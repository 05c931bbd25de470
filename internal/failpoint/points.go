package failpoint

// Point is a place in the code, just before that is done which its name says.
type Point uint8

const (
	// An append (W1, W2, W3, W5, W7), in the order of the steps.
	ClaimPosition  Point = iota // the compare-and-swap on the producer position
	ClaimPadding                // the stamp of the padding before the record
	ClaimLength                 // length, level and kind
	ClaimStamp                  // the stamp CLAIMED
	ClaimTime                   // the timestamp
	AppendPayload               // the payload
	CommitLost                  // the loss total that the record carries
	CommitChecksum              // the checksum
	CommitStamp                 // the stamp COMMITTED, or ABORTED
	WakeReader                  // the reader's futex word: it is awake
	CountLost                   // a loss counter
	WaitFlag                    // the lane's futex word: somebody waits for room

	// A lane's owner comes and goes (O4, O5).
	OwnFree       // state FREE, of a closed lane that is claimed
	OwnAllocated  // the mark that the lane's memory is allocated
	OwnZero       // zeros over what an earlier boot left (C5)
	OwnIdentity   // each word of the owner's description
	OwnPosition   // the producer position, moved over the owner record
	OwnPadding    // the stamp of the padding before the owner record
	OwnRecord     // each part of the owner record, its stamps too
	OwnState      // state OWNED
	ClosePosition // the closed bit in the producer position
	CloseState    // state CLOSED

	// A reader comes, and says how it is.
	ReaderStart     // each word that says who reads
	ReaderFutex     // its futex word: asleep, awake
	ReaderHeartbeat // the time at which it was alive
	ReaderError     // each part of its last error
	RetireMark      // the mark that the ring is being removed, set or cleared (O6)
	LevelVersion    // the version of the level rules
	LevelRule       // each word of a rule
	RotateAsk       // the count of rotations that were asked for
	RotateServe     // up to which of them the outputs were rotated
	AnchorEntry     // each part of a clock anchor
	AnchorCount     // how many there were

	// The intent (D1, D2).
	IntentSlot   // each part of a batch in its slot
	IntentSwitch // which slot holds the batch
	IntentState  // PREPARED, APPLIED or none
	IntentWindow // the copy of the piece that is about to be written, and what it is of

	// Publishing a batch (D4).
	PublishHighWater // the largest backlog
	PublishProgress  // each word of the reader's line but the position
	PublishConsumer  // the consumer position: memory is given back
	PublishWake      // the lane's futex word
	PublishState     // the state of a dead owner's lane

	// The drain's transaction, step by step (D1); the points above lie within these.
	DrainCollect // records are about to be taken out of the lanes
	DrainPrepare // a batch was formatted
	DrainWrite   // prepared; the first output is about to be written
	DrainCheck   // an output holds its part; it is about to be checked
	DrainSync    // an output is whole, and about to be synced
	DrainApply   // the batch is about to be called applied
	DrainPublish // applied, and about to be published
	DrainClear   // published; the intent is about to be cleared
	DrainRotate  // cleared; outputs that are due are about to be rotated
	DrainReopen  // an output is about to be opened again
	DrainUndo    // a dead reader's prepared batch is about to be rolled back
	DrainRedo    // a dead reader's applied batch is about to be published
	RingSync     // the ring's pages are about to be synced

	// System calls on outputs; these can fail.
	FileOpen     // an output is opened or made
	FileLock     // its lock is taken
	FileWrite    // bytes are appended
	FileSync     // its bytes are synced
	FileTruncate // a half-written batch is cut off
	FileCreate   // rotation: the next file is made, under a temporary name
	FileSetAside // rotation: the full file gets a backup's name
	FilePlace    // rotation: the next file gets the output's name
	FileAdopt    // rotation: the next file becomes the output
	FilePrune    // a rotated file is removed
	DirSync      // a folder's entries are synced

	// What is done with rotated files in the background; these can fail.
	ArchiveCompare // a file is compared with an archive that is there already
	ArchiveCreate  // the archive is made, under a temporary name
	ArchiveWrite   // bytes are added to it
	ArchiveSync    // its bytes are synced
	ArchivePlace   // it gets the archive's name
	ArchiveClear   // the file that it is of is removed
	ArchiveTidy    // what a killed compression left is removed
	HookStart      // a hook is started

	numPoints
)

var names = [numPoints]string{
	ClaimPosition: "claim.position", ClaimPadding: "claim.padding", ClaimLength: "claim.length",
	ClaimStamp: "claim.stamp", ClaimTime: "claim.time", AppendPayload: "append.payload",
	CommitLost: "commit.lost", CommitChecksum: "commit.checksum", CommitStamp: "commit.stamp",
	WakeReader: "wake.reader", CountLost: "count.lost", WaitFlag: "wait.flag",

	OwnFree: "own.free", OwnAllocated: "own.allocated", OwnZero: "own.zero", OwnIdentity: "own.identity",
	OwnPosition: "own.position", OwnPadding: "own.padding", OwnRecord: "own.record", OwnState: "own.state",
	ClosePosition: "close.position", CloseState: "close.state",

	ReaderStart: "reader.start", ReaderFutex: "reader.futex", ReaderHeartbeat: "reader.heartbeat",
	ReaderError: "reader.error", RetireMark: "retire.mark", LevelVersion: "level.version", LevelRule: "level.rule",
	RotateAsk: "rotate.ask", RotateServe: "rotate.serve",
	AnchorEntry: "anchor.entry", AnchorCount: "anchor.count",

	IntentSlot: "intent.slot", IntentSwitch: "intent.switch", IntentState: "intent.state", IntentWindow: "intent.window",

	PublishHighWater: "publish.highwater", PublishProgress: "publish.progress", PublishConsumer: "publish.consumer",
	PublishWake: "publish.wake", PublishState: "publish.state",

	DrainCollect: "drain.collect", DrainPrepare: "drain.prepare", DrainWrite: "drain.write", DrainCheck: "drain.check",
	DrainSync: "drain.sync", DrainApply: "drain.apply", DrainPublish: "drain.publish", DrainClear: "drain.clear",
	DrainRotate: "drain.rotate", DrainReopen: "drain.reopen", DrainUndo: "drain.undo", DrainRedo: "drain.redo",
	RingSync: "ring.sync",

	FileOpen: "file.open", FileLock: "file.lock", FileWrite: "file.write", FileSync: "file.sync",
	FileTruncate: "file.truncate", FileCreate: "file.create", FileSetAside: "file.setaside", FilePlace: "file.place",
	FileAdopt: "file.adopt", FilePrune: "file.prune", DirSync: "dir.sync",

	ArchiveCompare: "archive.compare", ArchiveCreate: "archive.create", ArchiveWrite: "archive.write",
	ArchiveSync: "archive.sync", ArchivePlace: "archive.place", ArchiveClear: "archive.clear",
	ArchiveTidy: "archive.tidy", HookStart: "hook.start",
}

// String is the point's name, in the environment and in the log of what was done.
func (p Point) String() string { return names[p] }
