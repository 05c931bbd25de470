// Package metrics shows a drain's figures to Prometheus.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// Nobody may hold a connection for nothing, nor many at once make work.
const (
	requestTimeout  = 10 * time.Second // to be read
	responseTimeout = 30 * time.Second // from then on
	idleTimeout     = 2 * time.Minute
	maxHeader       = 16 << 10 // bytes
	maxScrapes      = 4        // at a time; others are told to come again
)

// Server answers requests for metrics until it is closed.
type Server struct {
	http  http.Server
	addr  net.Addr
	ended chan struct{}
}

// Serve answers GET /metrics at addr, which is HOST:PORT, without encryption, and / with a
// link to it. src is asked at each scrape, by any number of goroutines at once, as is the
// ring at ringPath, which is only looked at. What fails later is said to log.
//
// The error names addr and says what to do.
func Serve(addr, ringPath string, src Source, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // its other words are addr once more
		}
		return nil, fmt.Errorf("metrics at %q: %w; name a HOST:PORT of this machine that is free, such as localhost:9464", addr, err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(ringPath, src), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	errorLog := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	errorLog.SetPrefix("metrics: ")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: errorLog, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	}))
	s := &Server{addr: l.Addr(), ended: make(chan struct{}), http: http.Server{
		Handler: mux, ErrorLog: errorLog, MaxHeaderBytes: maxHeader,
		ReadTimeout: requestTimeout, WriteTimeout: responseTimeout, IdleTimeout: idleTimeout,
	}}
	go func() {
		defer close(s.ended)
		err := cli.Guard(func() error { return s.http.Serve(l) })
		if !errors.Is(err, http.ErrServerClosed) {
			log.Error(fmt.Sprintf("metrics at %s are no longer to be had: %v; draining goes on", s.addr, err))
		}
	}()
	return s, nil
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>ringlog</title><a href=\"metrics\">metrics</a>\n")
}

// Addr is where the server listens, with the port that it was given for port 0.
func (s *Server) Addr() string { return s.addr.String() }

// Close ends the server when what it was asked for is answered, or ctx ends; that is then
// the error.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.ended
	return err
}
