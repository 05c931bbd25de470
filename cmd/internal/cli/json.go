package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// WriteJSON writes v as one line of JSON in which nothing can move a terminal's
// cursor or turn the direction of text: encoding/json leaves the controls from
// U+007F to U+009F and those of bidirectional text as they are.
func WriteJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	// Outside of strings JSON is ASCII, so that every other rune can be escaped.
	line := make([]byte, 0, len(b)+1)
	for _, r := range string(b) {
		if unicode.IsPrint(r) {
			line = append(line, string(r)...)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			line = fmt.Appendf(line, `\u%04x`, unit)
		}
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
