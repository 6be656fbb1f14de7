// Package vectors reads the vectors of the contract, for the tests.
package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Load reads the cases of one of the files in runtimes/contract/vectors/, from the folder of a package.
func Load[Case any](t *testing.T, name string) []Case {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "contract", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no case", name)
	}
	return cases
}
