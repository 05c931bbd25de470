// Package writer appends log records to a ring, on behalf of one worker process.
//
//	w, err := writer.Open("/dev/shm/study.ring", writer.Options{})
//	if err != nil {
//		return err
//	}
//	defer w.Close()
//	w.Append(record.LevelInfo, []byte("trial 17 begins"))
//
// An append copies the record into memory that the reader process shares, and
// returns. It takes no lock, allocates nothing, and makes no system call but to
// wake a sleeping reader. A nil error means that the record was accepted: from
// then on it survives whatever happens to this process. Any other means that it
// was not, and, unless the writer was closed, that it was counted; the log shows
// the count where the records are missing.
//
// Where the ring is not supported (any system but Linux), a Writer has the same
// methods and writes lines of text to standard error.
package writer
