// Package loggers shows other logging libraries with a ring behind them: see its
// examples. It is a module of its own, so that those libraries are no dependencies
// of ringlog.
package loggers
