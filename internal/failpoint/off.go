//go:build !failpoints

package failpoint

// Hit is empty in a normal build.
func Hit(Point) {}

// Err is nil in a normal build.
func Err(Point) error { return nil }
