// Package host says what figures depend on: the machine, its software, and how much
// else it did meanwhile.
package host

import (
	"bufio"
	"cmp"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Host is a machine and its software.
type Host struct {
	CPU      string   `json:"cpu"`
	CPUs     int      `json:"cpus"`
	Arch     string   `json:"arch"`
	Kernel   string   `json:"kernel"`
	Go       string   `json:"go"`
	Load     string   `json:"load"`     // over the last minute, when the run began
	Versions []string `json:"versions"` // of what is compared: "zerolog v1.35.1"
}

// This is the machine this runs on.
func This() Host {
	h := Host{CPU: cpuModel(), CPUs: runtime.NumCPU(), Arch: runtime.GOARCH, Kernel: "unknown", Go: runtime.Version(), Load: "unknown", Versions: modules()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		h.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		h.Load, _, _ = strings.Cut(string(b), " ")
	}
	return h
}

// cpuModel is "unknown" on arm64, where the kernel does not name it.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return cmp.Or(strings.TrimSpace(value), "unknown")
		}
	}
	return "unknown"
}

// modules are the peers that are linked in, with their versions.
func modules() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	peers := []string{"go.uber.org/zap", "github.com/rs/zerolog", "github.com/phuslu/log", "gopkg.in/natefinch/lumberjack.v2"}
	var found []string
	for _, m := range info.Deps {
		if slices.Contains(peers, m.Path) {
			found = append(found, m.Path+" "+m.Version)
		}
	}
	return found
}

// MemoryDir is where files of so many bytes in all can lie in memory, or where temporary
// files go. A container often has 64 MiB of such memory.
func MemoryDir(size uint64) string {
	const shm = "/dev/shm"
	if st, err := os.Stat(shm); err == nil && st.IsDir() && unix.Access(shm, unix.W_OK) == nil && Free(shm) >= size {
		return shm
	}
	return os.TempDir()
}

// Free is how many bytes a file in dir can have, or 0 where that cannot be told.
func Free(dir string) uint64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0
	}
	return st.Bavail * uint64(st.Bsize)
}

// FileSystem names the kind of the file system that dir lies on: "ext4".
func FileSystem(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "unknown"
	}
	kinds := map[int64]string{
		unix.TMPFS_MAGIC: "tmpfs", unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs",
		unix.BTRFS_SUPER_MAGIC: "btrfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
	}
	return cmp.Or(kinds[int64(st.Type)], "unknown") // of another type on other architectures
}
