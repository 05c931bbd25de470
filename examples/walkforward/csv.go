package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The columns that hold dates and prices, by name, the best first. Case does not
// matter.
var (
	dateColumns  = []string{"date", "day", "time", "timestamp", "month"}
	priceColumns = []string{"adj close", "adjusted close", "close", "price", "last", "value", "sp500"}
)

// fewest is how many prices it takes for windows that mean anything.
const fewest = 240

// dearest is above any price, and far below where arithmetic fails.
const dearest = 1e12

// cell is a place in a CSV file. Its errors say where, what is there, and what was
// expected.
type cell struct {
	file   string
	line   int
	column string
}

func (c cell) errorf(format string, args ...any) error {
	return fmt.Errorf("%s, line %d, column %q: %w", c.file, c.line, c.column, fmt.Errorf(format, args...))
}

// loadPrices reads a CSV file that has a header and, among its columns, one of
// dates and one of prices.
func loadPrices(path string) (*series, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	defer f.Close()
	s, err := readPrices(f, path)
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	return s, nil
}

func readPrices(file io.Reader, name string) (*series, error) {
	in := bufio.NewReader(file)
	rows := csv.NewReader(in)
	rows.Comma = separator(in)
	rows.TrimLeadingSpace = rows.Comma != '\t' // or two tabs would be one
	header, err := rows.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s is empty: want a line of column names, then a line for each price", name)
	}
	if err != nil {
		return nil, inFile(name, err)
	}
	date, price, err := findColumns(header)
	if err != nil {
		return nil, fmt.Errorf("%s, line 1: %w", name, err)
	}
	s := &series{Name: name}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, inFile(name, err)
		}
		at := func(column int) cell {
			line, _ := rows.FieldPos(column)
			return cell{name, line, header[column]}
		}
		if err := s.addDate(row[date], at(date)); err != nil {
			return nil, err
		}
		if err := s.addPrice(row[price], at(price)); err != nil {
			return nil, err
		}
	}
	if n := len(s.Prices); n < fewest {
		return nil, fmt.Errorf("%s has %d prices: want at least %d, or its windows would be too short to mean anything", name, n, fewest)
	}
	return s, nil
}

// separator is what the first line has most of: commas, semicolons or tabs.
func separator(in *bufio.Reader) rune {
	const longest = 4096        // bytes that are looked at
	text, _ := in.Peek(longest) // what fails here fails again when it is read
	line, _, _ := strings.Cut(string(text), "\n")
	best := ','
	for _, r := range ";\t" {
		if strings.Count(line, string(r)) > strings.Count(line, string(best)) {
			best = r
		}
	}
	return best
}

// separators are those that a file may have.
const separators = "commas, semicolons or tabs"

// inFile adds the file's name to an error of package csv, which has the line.
func inFile(name string, err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok && errors.Is(err, csv.ErrFieldCount) {
		return fmt.Errorf("%s, line %d: other columns than line 1 has: want as many values as there are names", name, parse.Line)
	}
	return fmt.Errorf("%s: want columns of text, separated by %s: %w", name, separators, err)
}

// findColumns returns the indices of the columns of dates and prices. Where none
// has a name that says prices, the only other one will do.
func findColumns(header []string) (date, price int, err error) {
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // as spreadsheets write it
	find := func(names []string) int {
		for _, name := range names {
			if i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	date, price = find(dateColumns), find(priceColumns)
	if date >= 0 && price < 0 && len(header) == 2 {
		price = 1 - date
	}
	for _, c := range []struct {
		of    string
		index int
		names []string
	}{{"dates", date, dateColumns}, {"prices", price, priceColumns}} {
		if c.index < 0 {
			err := fmt.Errorf("no column of %s among %.40q: want one that is called %s", c.of, header[:min(len(header), 12)], orList(c.names))
			if len(header) == 1 {
				err = fmt.Errorf("%w; columns are separated by %s", err, separators)
			}
			return 0, 0, err
		}
	}
	return date, price, nil
}

func orList(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// addDate takes a date, or a month, and leaves out the time of day.
func (s *series) addDate(text string, at cell) error {
	text = strings.TrimSpace(text)
	day, err := time.Parse(dayLayout, text[:min(len(text), len(dayLayout))])
	if err != nil {
		day, err = time.Parse("2006-01", text)
	}
	if err != nil {
		return at.errorf("%.40q is no date: want year-month-day, such as 1929-10-29", text)
	}
	date := day.Format(dayLayout)
	if n := len(s.Dates); n > 0 && date <= s.Dates[n-1] {
		return at.errorf("%s comes after %s: want the oldest date first, and each once", date, s.Dates[n-1])
	}
	s.Dates = append(s.Dates, date)
	return nil
}

func (s *series) addPrice(text string, at cell) error {
	text = strings.TrimSpace(text)
	price, err := strconv.ParseFloat(text, 64)
	if err != nil || !(price > 0 && price < dearest) {
		return at.errorf("%.40q is no price: want a number above 0, such as 1234.5", text)
	}
	s.Prices = append(s.Prices, price)
	return nil
}
