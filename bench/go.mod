module github.com/ringlog/ringlog/bench

go 1.26.0

require (
	github.com/edsrzf/mmap-go v1.2.0
	github.com/ringlog/ringlog v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	gopkg.in/natefinch/lumberjack.v2 v2.2.1 // indirect
)

replace github.com/ringlog/ringlog => ../
