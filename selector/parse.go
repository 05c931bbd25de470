package selector

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a selector: LOGGER, {key=value,…} or LOGGER{key=value,…}. A logger, key
// or value that has one of the characters {}=," or spaces around it, or that is an
// empty key, is written in double quotes, with the escapes of Go, and so of text lines.
func Parse(text string) (Selector, error) {
	s, rest, err := parse(text)
	switch {
	case err != nil:
		return Selector{}, err
	case rest != "":
		return Selector{}, fmt.Errorf("selector: %q follows it: want LOGGER, {key=value,…} or LOGGER{key=value,…}", rest)
	case s.Empty():
		return Selector{}, errors.New("selector: it is empty: want LOGGER, {key=value,…} or LOGGER{key=value,…}")
	}
	return s, nil
}

// ParseOutput reads PATH or SELECTOR=PATH. What has no =, { or " before its first
// slash is a path; so is what begins with =.
func ParseOutput(text string) (s Selector, path string, err error) {
	if i := strings.IndexAny(text, `/={"`); i < 0 || text[i] == '/' || strings.HasPrefix(text, "=") {
		return Selector{}, text, nil
	}
	s, rest, err := parse(text)
	if err != nil && text[0] == '{' {
		err = fmt.Errorf("%w; a path that begins with a field is to be written as ./%s", err, text)
	}
	if err != nil {
		return Selector{}, "", err
	}
	path, ok := strings.CutPrefix(rest, "=")
	if !ok {
		return Selector{}, "", fmt.Errorf("selector: want =PATH after %s, not %q; what has one of %s in it is to be quoted, or if it is the path, to be written as ./%s",
			text[:len(text)-len(rest)], rest, special, text)
	}
	return s, path, nil
}

// special are the characters that end a bare word.
const special = `{}=,"`

// parse reads a selector at the beginning of text and returns what follows it.
func parse(text string) (s Selector, rest string, err error) {
	logger, rest, err := word(text)
	if err != nil {
		return s, "", err
	}
	if logger != "" {
		s.Loggers = []string{logger}
	}
	list, ok := strings.CutPrefix(rest, "{")
	if !ok {
		return s, rest, nil
	}
	for {
		var a Attr
		if a, list, err = attr(list); err != nil {
			return s, "", err
		}
		s.Attrs = append(s.Attrs, a)
		if rest, ok = strings.CutPrefix(list, "}"); ok {
			return s, rest, nil
		}
		if list, ok = strings.CutPrefix(list, ","); !ok {
			return s, "", fmt.Errorf("selector: want , or } after %s=%s, not %q; a value with one of %s in it is to be quoted", a.Key, a.Value, list, special)
		}
	}
}

// attr reads key=value.
func attr(text string) (a Attr, rest string, err error) {
	key, rest, err := word(text)
	if err != nil {
		return a, "", err
	}
	value, ok := strings.CutPrefix(rest, "=")
	if bare := key == "" && !strings.HasPrefix(strings.TrimLeft(text, " "), `"`); !ok || bare {
		return a, "", fmt.Errorf("selector: want key=value in the braces, not %q", text)
	}
	a.Key = key
	a.Value, rest, err = word(value)
	return a, rest, err
}

// word reads a bare or a quoted word.
func word(text string) (w, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, special)
		if end < 0 {
			end = len(text)
		}
		return strings.TrimRight(text[:end], " "), text[end:], nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err == nil {
		w, err = strconv.Unquote(quoted)
	}
	if err != nil {
		return "", "", fmt.Errorf("selector: %s: want the closing quote, and escapes as in Go", text)
	}
	return w, strings.TrimLeft(text[len(quoted):], " "), nil
}
