package workspace

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"agentloop/internal/text"
)

const (
	folderFlags = syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	newFlags    = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	// Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
	fileFlags = syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
)

// Tools are what a model may do in a workspace, whose paths lead nowhere else: not by "..", not by symbolic links.
// All of them go down one folder at a time, so that one exchanged for a link meanwhile is not followed either.
//
// Source: runtimes/CONTRACT.md, "Tools".
type Tools struct {
	folder string
}

// NewTools returns the tools of a workspace.
func NewTools(folder string) Tools { return Tools{folder} }

// SearchMatch is a line that holds what was sought.
type SearchMatch struct {
	Path string // as the workspace sees it
	Line int    // from 1
	Text string
}

// WriteFile writes a file whole or not at all, and the folders it needs.
func (t Tools) WriteFile(path, content string) error {
	folders, name, err := split(path)
	if err != nil {
		return err
	}
	parent, err := t.open(folders, path, true)
	if err != nil {
		return err
	}
	defer syscall.Close(parent)
	if isLink(parent, name) {
		return throughLink(path)
	}
	temporary := ".writing-" + rand.Text()
	if err := writeNew(parent, temporary, content); err != nil {
		return pathError("write", path, err)
	}
	if err := syscall.Renameat(parent, temporary, parent, name); err != nil {
		unlinkAt(parent, temporary, 0)
		return pathError("write", path, err)
	}
	return nil
}

// ReadFile returns the text of a file.
func (t Tools) ReadFile(path string) (string, error) {
	folders, name, err := split(path)
	if err != nil {
		return "", err
	}
	parent, err := t.open(folders, path, false)
	if err != nil {
		return "", err
	}
	defer syscall.Close(parent)
	descriptor, err := openAt(parent, name, fileFlags, path)
	if err != nil {
		return "", err
	}
	file := os.NewFile(uintptr(descriptor), path)
	defer file.Close()
	if status, err := file.Stat(); err != nil || !status.Mode().IsRegular() {
		return "", fmt.Errorf("%s: is no file", path)
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(file); err != nil {
		return "", err
	}
	return text.Decode(content.Bytes()), nil
}

// ListDir returns the names in a folder, a slash after folders, by code point.
func (t Tools) ListDir(path string) ([]string, error) {
	folders, err := pathNames(path)
	if err != nil {
		return nil, err
	}
	entries, err := t.entries(folders, path)
	for i, entry := range entries {
		entries[i] = text.Decode([]byte(entry))
	}
	slices.Sort(entries) // In UTF-8, bytes have the order of code points.
	return entries, err
}

// Search returns all lines below a folder that hold wanted, by path and number.
func (t Tools) Search(wanted, path string) ([]SearchMatch, error) {
	folders, err := pathNames(path)
	if err != nil {
		return nil, err
	}
	prefix := ""
	if len(folders) > 0 {
		prefix = strings.Join(folders, "/") + "/"
	}
	waiting, err := t.below(folders, prefix)
	if err != nil {
		return nil, err
	}
	var matches []SearchMatch
	for len(waiting) > 0 {
		next := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if folder, found := strings.CutSuffix(next, "/"); found {
			// What cannot be listed or read, or is gone, is not searched.
			if inner, err := t.below(strings.Split(folder, "/"), next); err == nil {
				waiting = append(waiting, inner...)
			}
		} else if content, err := t.ReadFile(next); err == nil {
			matches = appendLines(matches, wanted, text.Decode([]byte(next)), content)
		}
	}
	slices.SortStableFunc(matches, func(a, b SearchMatch) int { return strings.Compare(a.Path, b.Path) })
	return matches, nil
}

// below returns the paths of what a folder holds, in the order of their bytes from the last to the first.
func (t Tools) below(folders []string, prefix string) ([]string, error) {
	entries, err := t.entries(folders, prefix)
	slices.Sort(entries) // So that of two paths that look the same, one always comes first.
	slices.Reverse(entries)
	for i, entry := range entries {
		entries[i] = prefix + entry
	}
	return entries, err
}

// entries returns the names in a folder, of any bytes and in no order, a slash after folders.
func (t Tools) entries(folders []string, path string) ([]string, error) {
	folder, err := t.open(folders, path, false)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(folder)
	entries, err := namesIn(folder)
	for i, entry := range entries {
		if isFolder(folder, entry) {
			entries[i] += "/"
		}
	}
	return entries, err
}

func appendLines(matches []SearchMatch, wanted, path, content string) []SearchMatch {
	number := 0
	for ended := range strings.Lines(content) {
		number++
		line, hasLF := strings.CutSuffix(ended, "\n")
		if hasLF {
			line = strings.TrimSuffix(line, "\r")
		}
		if strings.Contains(line, wanted) {
			matches = append(matches, SearchMatch{path, number, line})
		}
	}
	return matches
}

// open opens a folder of the workspace; with create, it makes the folders that are missing.
func (t Tools) open(folders []string, path string, create bool) (int, error) {
	opened, err := openAt(here, t.folder, folderFlags, path)
	for _, folder := range folders {
		if err != nil {
			break
		}
		if create {
			if err := syscall.Mkdirat(opened, folder, 0o777); err != nil && err != syscall.EEXIST {
				syscall.Close(opened)
				return 0, pathError("make", path, err)
			}
		}
		parent := opened
		opened, err = openAt(parent, folder, folderFlags, path)
		syscall.Close(parent)
	}
	return opened, err
}

// split returns the folders of a path and the name of the file it leads to.
func split(path string) (folders []string, name string, err error) {
	all, err := pathNames(path)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%q: is no file", path)
	}
	if err != nil {
		return nil, "", err
	}
	return all[:len(all)-1], all[len(all)-1], nil
}

// pathNames returns the names that make up a relative path, none for the workspace itself.
func pathNames(path string) ([]string, error) {
	all := slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
	if strings.HasPrefix(path, "/") || slices.Contains(all, "..") || strings.Contains(path, "\x00") {
		return nil, fmt.Errorf("%q: is not a path inside the workspace", path)
	}
	return all, nil
}

func openAt(folder int, name string, flags int, path string) (int, error) {
	descriptor, err := syscall.Openat(folder, name, flags, 0)
	switch err {
	case nil:
		return descriptor, nil
	case syscall.ELOOP, syscall.ENOTDIR:
		return 0, throughLink(path)
	}
	return 0, pathError("open", path, err)
}

func writeNew(folder int, name, content string) error {
	descriptor, err := syscall.Openat(folder, name, newFlags, 0o644)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(descriptor), name)
	_, err = file.WriteString(content)
	if err = errors.Join(err, file.Close()); err != nil {
		unlinkAt(folder, name, 0)
	}
	return err
}

// isLink returns whether an entry of a folder is a symbolic link.
func isLink(folder int, name string) bool {
	status, err := os.Lstat(byHandle(folder) + "/" + name)
	return err == nil && status.Mode()&os.ModeSymlink != 0
}

func throughLink(path string) error {
	return fmt.Errorf("%s: goes through a symbolic link or something that is no folder", path)
}
