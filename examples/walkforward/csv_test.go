package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// file is a CSV file of 300 prices, with a row replaced.
func file(header string, row func(date string, i int) string) string {
	s := generate(1)
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range 300 {
		b.WriteString(row(s.Dates[i], i) + "\n")
	}
	return b.String()
}

func TestColumnsAreFoundByName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header string
		row    func(date string, i int) string
	}{
		"prices first":           {"Close,Date", func(d string, i int) string { return fmt.Sprintf("%d,%s", i+1, d) }},
		"spaces, other case":     {" DATE , close ", func(d string, i int) string { return fmt.Sprintf("%s, %d ", d, i+1) }},
		"adjusted before close":  {"Date,Close,Adj Close", func(d string, i int) string { return fmt.Sprintf("%s,7,%d", d, i+1) }},
		"real price is another":  {"Date,SP500,Real Price", func(d string, i int) string { return fmt.Sprintf("%s,%d,0", d, i+1) }},
		"the only other one":     {"Date,GB00B03MLX29", func(d string, i int) string { return fmt.Sprintf("%s,%d", d, i+1) }},
		"marked as UTF-8":        {"\ufeffDate,Close", func(d string, i int) string { return fmt.Sprintf("%s,%d", d, i+1) }},
		"with the time of day":   {"Timestamp,Close", func(d string, i int) string { return fmt.Sprintf("%sT16:00:00Z,%d", d, i+1) }},
		"semicolons":             {"Date;Close;P,E", func(d string, i int) string { return fmt.Sprintf("%s;%d;1,2", d, i+1) }},
		"tabs, one with nothing": {"Date\tVolume\tClose", func(d string, i int) string { return fmt.Sprintf("%s\t\t%d", d, i+1) }},
		"CRLF and quoted":        {"\"Date\",\"Close\"\r", func(d string, i int) string { return fmt.Sprintf("\"%s\",\"%d\"\r", d, i+1) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := readPrices(strings.NewReader(file(tt.header, tt.row)), "f.csv")
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Prices) != 300 || s.Prices[0] != 1 || s.Prices[299] != 300 || s.Dates[0] != "1996-01-01" {
				t.Errorf("%d prices, %v to %v, from %s", len(s.Prices), s.Prices[0], s.Prices[299], s.Dates[0])
			}
		})
	}
}

func TestMonthsAreDatesToo(t *testing.T) {
	t.Parallel()
	months := file("Month,Price", func(_ string, i int) string { return fmt.Sprintf("%d-%02d,%d", 1990+i/12, 1+i%12, i+1) })
	s, err := readPrices(strings.NewReader(months), "f.csv")
	if err != nil {
		t.Fatal(err)
	}
	if s.Dates[0] != "1990-01-01" || s.pace() != "monthly" {
		t.Errorf("%s, %s", s.Dates[0], s.pace())
	}
}

func TestAWrongFileIsToldWhereAndWhy(t *testing.T) {
	t.Parallel()
	good := func(d string, i int) string { return fmt.Sprintf("%s,%d", d, i+1) }
	at := func(wrong int, row string) string {
		return file("Date,Close", func(d string, i int) string {
			if i == wrong {
				return strings.ReplaceAll(row, "D", d)
			}
			return good(d, i)
		})
	}
	tests := map[string]struct{ text, want string }{
		"empty":              {"", "f.csv is empty: want a line of column names, then a line for each price"},
		"header alone":       {"Date,Close\n", "f.csv has 0 prices: want at least 240, or its windows would be too short to mean anything"},
		"no dates":           {file("When,Close", good), `f.csv, line 1: no column of dates among ["When" "Close"]: want one that is called date, day, time, timestamp or month`},
		"no prices":          {file("Date,A,B", good), `f.csv, line 1: no column of prices among ["Date" "A" "B"]: want one that is called adj close, adjusted close, close, price, last, value or sp500`},
		"bars":               {file("Date|Close", good), `f.csv, line 1: no column of dates among ["Date|Close"]: want one that is called date, day, time, timestamp or month; columns are separated by commas, semicolons or tabs`},
		"commas for points":  {file("Date;Close", func(d string, i int) string { return fmt.Sprintf("%s;%d,5", d, i+1) }), `f.csv, line 2, column "Close": "1,5" is no price: want a number above 0, such as 1234.5`},
		"no number":          {at(5, "D,n/a"), `f.csv, line 7, column "Close": "n/a" is no price: want a number above 0, such as 1234.5`},
		"nothing":            {at(0, "D,"), `f.csv, line 2, column "Close": "" is no price: want a number above 0, such as 1234.5`},
		"zero":               {at(5, "D,0.0"), `f.csv, line 7, column "Close": "0.0" is no price: want a number above 0, such as 1234.5`},
		"below zero":         {at(5, "D,-3"), `f.csv, line 7, column "Close": "-3" is no price: want a number above 0, such as 1234.5`},
		"not a number":       {at(5, "D,NaN"), `f.csv, line 7, column "Close": "NaN" is no price: want a number above 0, such as 1234.5`},
		"infinite":           {at(5, "D,Inf"), `f.csv, line 7, column "Close": "Inf" is no price: want a number above 0, such as 1234.5`},
		"a date of another":  {at(5, "10/29/1929,7"), `f.csv, line 7, column "Date": "10/29/1929" is no date: want year-month-day, such as 1929-10-29`},
		"no such day":        {at(5, "1996-02-30,7"), `f.csv, line 7, column "Date": "1996-02-30" is no date: want year-month-day, such as 1929-10-29`},
		"a date again":       {at(5, "1996-01-05,7"), `f.csv, line 7, column "Date": 1996-01-05 comes after 1996-01-05: want the oldest date first, and each once`},
		"newest first":       {at(5, "1995-12-29,7"), `f.csv, line 7, column "Date": 1995-12-29 comes after 1996-01-05: want the oldest date first, and each once`},
		"a value too many":   {at(5, "D,7,8"), "f.csv, line 7: other columns than line 1 has: want as many values as there are names"},
		"a quote in a value": {at(5, `D,7"`), `f.csv: want columns of text, separated by commas, semicolons or tabs: parse error on line 7, column 13: bare " in non-quoted-field`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readPrices(strings.NewReader(tt.text), "f.csv")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "none.csv")
	if _, err := loadPrices(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("%v, want one that names %s", err, missing)
	}
	folder := t.TempDir()
	if _, err := loadPrices(folder); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("%v, want one that names the folder %s", err, folder)
	}
}
