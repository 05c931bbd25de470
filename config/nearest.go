package config

import "slices"

// nearest returns that of names which word was most likely to be, if any is near.
func nearest(word string, names []string) (string, bool) {
	if len(word) > 50 {
		return "", false // and no time spent on it
	}
	best := slices.MinFunc(names, func(a, b string) int { return distance(word, a) - distance(word, b) })
	return best, distance(word, best) <= max(1, len(best)/3)
}

// distance returns how many bytes must be inserted, removed or replaced to make b of a,
// or exchanged with the next one: the optimal string alignment of Damerau and Levenshtein.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			same := 1
			if a[i] == b[j] {
				same = 0
			}
			row[j+1] = min(last[j]+same, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
