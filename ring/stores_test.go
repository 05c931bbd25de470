package ring

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// ownMemory are the functions that store bytes without a failpoint, each into
// memory of its own process: a copy, or what becomes a file.
var ownMemory = map[string]string{
	"encode":       "a header, and a batch, whose parts have a failpoint each",
	"newTable":     "the lane table of a file to be",
	"decodeHeader": "a Header",
	"load":         "a copy of the intent area",
	"rule":         "a prefix",
	"replace":      "a prefix",
}

func TestEveryStoreToSharedMemoryHasAFailpointBeforeIt(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, f := range files {
		name := f.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_unsafe.go") ||
			strings.HasSuffix(name, "_sched.go") { // not of a normal build
			continue
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !storesBytes(call) {
					return true
				}
				used[fn.Name.Name] = true
				if ownMemory[fn.Name.Name] == "" {
					t.Errorf("%v: %s stores bytes; store to shared memory through words_unsafe.go", fset.Position(call.Pos()), fn.Name.Name)
				}
				return true
			})
		}
	}
	for fn := range ownMemory {
		if !used[fn] {
			t.Errorf("%s stores no bytes any more", fn)
		}
	}
}

// storesBytes says whether call is one of the ways to store into a []byte.
func storesBytes(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name == "copy" || f.Name == "clear"
	case *ast.SelectorExpr:
		return strings.HasPrefix(f.Sel.Name, "PutUint") || strings.HasPrefix(f.Sel.Name, "AppendUint")
	}
	return false
}
