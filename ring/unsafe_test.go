package ring

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// One package has unsafe, in files whose name says so: all that can corrupt
// memory is read in one sitting.
func TestUnsafeIsImportedByItsOwnFilesAlone(t *testing.T) {
	t.Parallel()
	allowed := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() != ".." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		own, _ := filepath.Match("../ring/*_unsafe.go", path)
		for _, i := range file.Imports {
			if i.Path.Value != `"unsafe"` {
				continue
			}
			if !own {
				t.Errorf("%s imports unsafe", path)
			}
			allowed++
		}
		return nil
	})
	if err != nil || allowed == 0 {
		t.Errorf("%d files import unsafe; error %v", allowed, err)
	}
}
