package main

// fileMutants break what is believed of an output.
func fileMutants() []mutant {
	const rollback = "logfile/rollback.go"
	caughtBy := suites(logfileTests, readerTests)
	return []mutant{
		{
			name: "rollback of another file at the path", rule: "D4", tests: caughtBy,
			edits: edits(in(rollback, "	case st.Ino != p.Inode, st.Dev", "	case st.Dev")),
		},
		{
			name: "rollback of bytes that are not the batch's", rule: "D4", tests: caughtBy,
			edits: edits(in(rollback, "	if !ours {\n", "	if !ours && written < 0 {\n")),
		},
		{
			name: "window ignored", rule: "D4", tests: caughtBy,
			edits: edits(in(rollback, " || string(part) != string(p.Window[:len(part)])", "")),
		},
		{
			name: "rollback without the output's lock", rule: "D4", tests: caughtBy,
			edits: edits(in(rollback, "	fd, err := acquire(p.Path, 0)\n", "	fd, err := os.OpenFile(p.Path, os.O_RDWR, 0)\n")),
		},
		{
			name: "bytes counted that the file did not get", rule: "D3", tests: caughtBy,
			edits: edits(in("logfile/file.go", "	case gained < int64(claimed):\n", "	case gained < 0:\n")),
		},
		{
			name: "output that lost its name not noticed", rule: "D3", tests: caughtBy,
			edits: edits(in("logfile/file.go", "	case st.Nlink == 0:\n", "	case st.Nlink > 1<<30:\n")),
		},
	}
}
