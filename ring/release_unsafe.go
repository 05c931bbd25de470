//go:build amd64 && !race && !failpoints && !sched

package ring

import "unsafe"

// release stores v in w, after all stores before it and before what is called next: the compiler
// keeps that order, and the processor too. It orders no load behind it.
func release(w *word, v uint64) { *(*uint64)(unsafe.Pointer(w)) = v }
