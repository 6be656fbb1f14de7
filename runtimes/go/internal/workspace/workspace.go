// Package workspace has the folders that attempts work in, and the tools that work there.
package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

var count atomic.Int64

// Workspace is a folder of an attempt's own.
type Workspace struct {
	Path string
}

// New makes a new folder below parent, which is absolute and free of symbolic links.
func New(parent string) (Workspace, error) {
	path := filepath.Join(parent, fmt.Sprintf("attempt-%d-%d", os.Getpid(), count.Add(1)))
	return Workspace{path}, os.Mkdir(path, 0o700)
}

// Remove removes the folder, whatever was done to it.
func (w Workspace) Remove() error { return removeTree(w.Path) }
