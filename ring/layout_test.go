package ring

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constants evaluates the package's constants from its source. Imports are not
// loaded: what needs them, such as a bound from package math, is left out.
func constants(t *testing.T) map[string]uint64 {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check("ring", set, files, nil)
	all := map[string]uint64{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
			if v, exact := constant.Uint64Val(constant.ToInt(c.Val())); exact {
				all[name] = v
			}
		}
	}
	return all
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not imported") }

// row is one row of a table that names a constant.
type row struct {
	line  int
	table int // counts the tables
	kind  string
	first string // offset or value
	size  string
	name  string
}

var backticked = regexp.MustCompile("^`([A-Za-z][A-Za-z0-9]*)`$")

// documentRows reads the tables whose heading begins with Offset or Value.
func documentRows(t *testing.T, path string) (rows []row) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind, table := "", 0
	for i, line := range strings.Split(string(b), "\n") {
		if !strings.HasPrefix(line, "|") {
			kind = ""
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		switch {
		case kind == "":
			kind = cells[0]
			table++
		case kind == "Offset" && len(cells) >= 3:
			r := row{line: i + 1, table: table, kind: kind, first: cells[0], size: cells[1]}
			if m := backticked.FindStringSubmatch(cells[2]); m != nil {
				r.name = m[1]
			}
			rows = append(rows, r)
		case kind == "Value" && len(cells) >= 2:
			if m := backticked.FindStringSubmatch(cells[1]); m != nil {
				rows = append(rows, row{line: i + 1, table: table, kind: kind, first: cells[0], name: m[1]})
			}
		}
	}
	return rows
}

// number reads an offset, a size or a value as the document writes them.
func number(s string) (uint64, bool) {
	if len(s) == 10 && s[0] == '"' && s[9] == '"' {
		return le.Uint64([]byte(s[1:9])), true
	}
	n, err := strconv.ParseUint(s, 0, 64)
	return n, err == nil
}

func TestLayoutMatchesTheDocument(t *testing.T) {
	t.Parallel()
	const path = "../docs/format.md"
	code := constants(t)
	documented := map[string]bool{}
	table, end := 0, uint64(0)
	for _, r := range documentRows(t, path) {
		if r.table != table {
			table, end = r.table, 0
		}
		first, ok := number(r.first)
		if r.name != "" {
			v, known := code[r.name]
			switch {
			case !known && r.kind == "Offset" && !layoutName.MatchString(r.name):
				continue // a table of another package's payload
			case !known:
				t.Errorf("%s:%d: the code has no constant %s", path, r.line, r.name)
			case !ok || v != first:
				t.Errorf("%s:%d: %s is %s there and %#x in the code", path, r.line, r.name, r.first, v)
			}
			documented[r.name] = true
		}
		if size, sized := number(r.size); r.kind == "Offset" && ok {
			if first < end {
				t.Errorf("%s:%d: offset %s lies in the field before", path, r.line, r.first)
			}
			if end = first; sized {
				end += size
			}
		}
	}
	if len(documented) < 100 {
		t.Errorf("%s: only %d names in its tables", path, len(documented))
	}
	// Not fields, but sums and sizes made of them.
	derived := []string{
		"ctlReader", "ctlUsedLength", "anchorCount", "anchorSize", "lanIdentity", "lanProgress",
		"recChecked", "ownLabelSize", "ownPayload", "sltLaneSize", "sltOutputSize",
	}
	for _, name := range slices.Sorted(maps.Keys(code)) {
		if layoutName.MatchString(name) && !documented[name] && !slices.Contains(derived, name) {
			t.Errorf("%s does not name %s", path, name)
		}
	}
}

var layoutName = regexp.MustCompile(`^(hdr|ctl|lvl|anchor|lan|rec|own|int|slt)[A-Z]`)

// R4: words of different writers lie on lines of their own.
func TestWordsOfDifferentWritersLieOnDifferentLines(t *testing.T) {
	t.Parallel()
	const line = 128
	for _, area := range []map[string][]uint64{
		{
			"state": {lanState}, "claimant": {lanIdentity, lanIdentitySum}, "owner": {lanProducer, lanOverwrite},
			"owner's counters": {lanLost, lanLost + 8*uint64(lossSlots) - 1},
			"reader":           {lanProgress, lanHighWater}, "futex": {lanFutex},
		},
		{
			"remover": {ctlRetired}, "copier": {ctlCopy}, "reader": {ctlReader, ctlRotated},
			"futex": {ctlReaderFutex}, "levels": {ctlLevelVersion}, "anchors": {ctlAnchorsPublished}, "whoever asks for a rotation": {ctlRotate},
		},
	} {
		holder := map[uint64]string{}
		for who, ends := range area {
			for l := ends[0] / line; l <= ends[len(ends)-1]/line; l++ {
				if other := holder[l]; other != "" {
					t.Errorf("line %d belongs to %s and to %s", l, who, other)
				}
				holder[l] = who
			}
		}
	}
}

func TestClockAnchorsHaveRoomForTheirFields(t *testing.T) {
	t.Parallel()
	fields := []uint64{anchorBootID, anchorCounter, anchorUntil, anchorUnix, anchorMult, anchorThen, anchorChecksum, anchorSize}
	sizes := []uint64{16, 8, 8, 8, 8, 8, 4}
	for i, size := range sizes {
		if fields[i]+size > fields[i+1] {
			t.Errorf("the field at %d has %d bytes, the next begins at %d", fields[i], size, fields[i+1])
		}
	}
	if ctlAnchors+anchorCount*anchorSize > ctlLevels {
		t.Error("the anchors reach into the level table")
	}
}
