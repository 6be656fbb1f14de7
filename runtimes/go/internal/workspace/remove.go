package workspace

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// patience is how long a process that nobody could kill may go on writing while its folder is being removed.
const patience = time.Second

// removeTree removes a folder, or what is in its place, and all it holds: links, but never what they point to.
//
// Unlike os.RemoveAll it gives permissions to folders without, takes neither stack nor open files for depth,
// because folders further down are first moved to the top, and removes what is written meanwhile, for a while.
func removeTree(path string) error {
	if err := syscall.Rmdir(path); err == nil || err == syscall.ENOENT {
		return nil
	}
	top, err := openFolder(here, path)
	switch err {
	case nil:
	case syscall.ENOENT:
		return nil
	case syscall.ENOTDIR, syscall.ELOOP:
		return pathError("remove", path, syscall.Unlink(path))
	default:
		return pathError("open", path, err)
	}
	defer syscall.Close(top)
	work := removal{top: top, prefix: rand.Text() + "-"}
	var deadline time.Time
	for {
		names, err := namesIn(top)
		if err != nil {
			return pathError("list", path, err)
		}
		if !deadline.IsZero() && time.Now().After(deadline) && !work.moved(names) {
			return pathError("remove", path, fmt.Errorf("a process that got away goes on writing there"))
		}
		for _, name := range names {
			if err := work.entry(name); err != nil && err != syscall.ENOENT {
				return pathError("remove", path+"/"+name, err)
			}
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(patience)
		}
		if err := syscall.Rmdir(path); err != syscall.ENOTEMPTY {
			if err == syscall.ENOENT {
				return nil
			}
			return pathError("remove", path, err)
		}
	}
}

// removal is that of what the folder top holds.
type removal struct {
	top    int
	prefix string // of names that those below cannot have taken on purpose
	count  int
}

// moved returns whether all of names are those of folders that were moved to the top.
func (r *removal) moved(names []string) bool {
	for _, name := range names {
		if !strings.HasPrefix(name, r.prefix) {
			return false
		}
	}
	return true
}

// entry removes an entry of the top; a folder's own folders are moved to the top instead.
func (r *removal) entry(name string) error {
	if err := unlinkAt(r.top, name, 0); err != syscall.EISDIR && err != syscall.EPERM {
		return err
	}
	folder, err := openFolder(r.top, name)
	if err != nil {
		return err
	}
	defer syscall.Close(folder)
	names, err := namesIn(folder)
	if err != nil {
		return err
	}
	for _, inner := range names {
		if err := r.innerEntry(folder, inner); err != nil && err != syscall.ENOENT {
			return err
		}
	}
	if err := unlinkAt(r.top, name, removeFolder); err != syscall.ENOTEMPTY {
		return err
	}
	return nil
}

func (r *removal) innerEntry(folder int, name string) error {
	if err := unlinkAt(folder, name, 0); err != syscall.EISDIR && err != syscall.EPERM {
		return err
	}
	// A folder without permissions cannot be moved.
	inner, err := openFolder(folder, name)
	if err != nil {
		return err
	}
	syscall.Close(inner)
	r.count++
	return syscall.Renameat(folder, name, r.top, fmt.Sprint(r.prefix, r.count))
}

// openFolder opens a folder for listing, with all permissions for the owner.
func openFolder(parent int, name string) (int, error) {
	handle, err := syscall.Openat(parent, name, openPath|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(handle)
	if err := syscall.Chmod(byHandle(handle), 0o700); err != nil {
		return 0, err
	}
	return syscall.Open(byHandle(handle), syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
}

func pathError(operation, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: operation, Path: path, Err: err}
}
