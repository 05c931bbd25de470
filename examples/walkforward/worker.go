package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ringlog/ringlog/writer"
)

// The loggers of every process of this program. They find the ring when there is one.
var (
	app    = writer.Logger("app")
	orders = writer.Logger("orders")
	trades = writer.Logger("trades")
)

// job is the first line that a worker reads. A trial is each other one.
type job struct {
	Worker string // its label in the log
	Study  string
	Note   string // path: where it notes what was accepted
	Prices *series
}

// result is the line that a worker writes for each trial.
type result struct {
	Trial   int
	Score   score
	Trades  int
	Returns []float64 `json:",omitempty"` // of each period; only where there are several legs
}

// work is a worker process: it attaches to the ring and does the trials that it
// reads, one JSON line each, until there are no more.
func work(in io.Reader, out io.Writer) (err error) {
	tasks := json.NewDecoder(in)
	var j job
	if err := tasks.Decode(&j); err != nil {
		return fmt.Errorf("a worker is started by walkforward itself: reading its job: %w", err)
	}

	// Should the reader fall behind, a record waits for room. A reader that is gone
	// costs this process one such wait, and then it ends with an error.
	if _, err := writer.Attach(writer.Options{Label: j.Worker, Timeout: 10 * time.Second}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, writer.Detach()) }()

	accepted, err := createNote(j.Note)
	if err != nil {
		return err
	}
	defer accepted.file.Close()
	m, results := newMarket(j.Prices), json.NewEncoder(out)
	for {
		var t trial
		if err := tasks.Decode(&t); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a trial: %w", err)
		}
		r, err := try(m, j.Study, t, accepted)
		if err != nil {
			return fmt.Errorf("trial %d: %w", t.Number, err)
		}
		if err := results.Encode(r); err != nil {
			return fmt.Errorf("trial %d: %w", t.Number, err)
		}
	}
}

// try does one trial. Each of its records carries the study and the trial.
func try(m *market, study string, t trial, accepted *note) (result, error) {
	a, err := m.backtest(t, loggers{
		app:    numbered{app.Trial(study, t.Number), 0, accepted},
		orders: numbered{orders.Trial(study, t.Number), 1, accepted},
		trades: numbered{trades.Trial(study, t.Number), 2, accepted},
	})
	if err != nil {
		return result{}, err
	}
	r := result{Trial: t.Number, Score: measure(a.returns, m.perYear()), Trades: a.trades}
	if len(t.Legs) > 1 {
		r.Returns = a.returns
	}
	return r, nil
}
