package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// series is prices at the close of each day, or month, or whatever the dates are.
type series struct {
	Name   string    // where they come from
	Dates  []string  // year-month-day, ascending
	Prices []float64 // above 0; as many as Dates
}

// dayLayout is how dates are written here.
const dayLayout = time.DateOnly

// years is the time from the first price to the last.
func (s *series) years() float64 {
	first, _ := time.Parse(dayLayout, s.Dates[0]) // made or checked by this program
	last, _ := time.Parse(dayLayout, s.Dates[len(s.Dates)-1])
	return float64(last.Unix()-first.Unix()) / (24 * 60 * 60) / 365.25
}

// perYear is how many prices a year has, as the dates say: about 261 if there is
// one for each working day, 12 if there is one a month.
func (s *series) perYear() float64 { return float64(len(s.Prices)-1) / s.years() }

// pace names what perYear says.
func (s *series) pace() string {
	n := s.perYear()
	for _, p := range []struct {
		name string
		of   float64 // prices a year
	}{{"daily", 255}, {"daily", 365}, {"weekly", 52}, {"monthly", 12}, {"quarterly", 4}, {"yearly", 1}} {
		if math.Abs(n/p.of-1) < 0.05 {
			return p.name
		}
	}
	return fmt.Sprintf("%.1f a year", n)
}

// generate makes thirty years of daily prices, the same for the same seed: a random
// walk whose drift changes every few months, so that there are trends to follow
// and to be wrong about.
func generate(seed uint64) *series {
	const (
		years      = 30
		volatility = 0.01 // standard deviation of a day's return
		change     = 90   // days that a drift lasts, on average
	)
	r := rand.New(rand.NewPCG(seed, 1602)) // the year of the first stock exchange
	s := &series{Name: fmt.Sprintf("generated from seed %d", seed)}
	price, drift := 100.0, 0.0
	begin := time.Date(1996, time.January, 1, 0, 0, 0, 0, time.UTC)
	for day := begin; day.Before(begin.AddDate(years, 0, 0)); day = day.AddDate(0, 0, 1) {
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			continue
		}
		if r.IntN(change) == 0 {
			drift = 0.0003 + 0.0012*r.NormFloat64()
		}
		price *= math.Exp(drift + volatility*r.NormFloat64())
		s.Dates = append(s.Dates, day.Format(dayLayout))
		s.Prices = append(s.Prices, max(0.01, cents(price)))
	}
	return s
}

// cents rounds to two digits, for the log and for people.
func cents(x float64) float64 { return math.Round(x*100) / 100 }

// whole rounds an amount of money.
func whole(x float64) int { return int(math.Round(x)) }
