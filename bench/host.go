package main

import (
	"bufio"
	"cmp"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// host is what the figures depend on.
type host struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Load   string `json:"load"` // over the last minute, when the run began
}

func thisHost() host {
	h := host{CPU: cpuModel(), CPUs: runtime.NumCPU(), Arch: runtime.GOARCH, Kernel: "unknown", Go: runtime.Version(), Load: "unknown"}
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

// memoryDir is where files lie in memory, or where temporary files go.
func memoryDir() string {
	const shm = "/dev/shm"
	if st, err := os.Stat(shm); err == nil && st.IsDir() && unix.Access(shm, unix.W_OK) == nil {
		return shm
	}
	return os.TempDir()
}
