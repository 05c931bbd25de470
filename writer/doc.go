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
// wake a sleeping reader; where the lane is full it waits for room. A nil error means
// that the record was accepted: from then on it survives whatever happens to this
// process. Any other means that it was not, and, unless the writer was closed, that it
// was counted; the log shows the count where the records are missing.
//
// Most programs log through the process's own writer, by [Logger] or a [Handler]:
//
//	var trades = writer.Logger("trades")
//
//	func main() {
//		defer writer.Detach()
//		trades.Info("filled", slog.Int("lots", 3))
//	}
//
// It attaches to the ring that RINGLOG_RING names. While there is none, and always on
// systems other than Linux, records go to standard error as lines of text.
package writer
