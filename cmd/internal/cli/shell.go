package cli

import "strings"

// Quote writes word so that a shell takes it as one word and runs nothing in it.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return Clean("'" + strings.ReplaceAll(word, "'", `'\''`) + "'")
}
