//go:build amd64 || arm64

package ring

// readCounter reads the machine's cycle counter: the TSC on amd64, the virtual counter of
// the generic timer on arm64. The processor may read it a little before what stands before
// the call is done, and after what stands behind it has begun.
func readCounter() uint64

// hasCounter says that there is a counter to read. Whether it may be trusted is another
// question, see counterTrusted.
const hasCounter = true
