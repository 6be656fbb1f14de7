package workspace

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// openPath is O_PATH, which the syscall package lacks: a handle that needs no permission.
const openPath = 0x200000

// removeFolder is AT_REMOVEDIR.
const removeFolder = 0x200

// here is AT_FDCWD: paths are as for the process.
const here = -100

// unlinkAt removes an entry of a folder. syscall.Unlinkat has no flags.
func unlinkAt(folder int, name string, flags int) error {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	_, _, errno := syscall.Syscall(syscall.SYS_UNLINKAT, uintptr(folder), uintptr(unsafe.Pointer(path)), uintptr(flags))
	if errno != 0 {
		return errno
	}
	return nil
}

// byHandle returns a path that means what a descriptor has opened, and nothing else.
func byHandle(descriptor int) string { return "/proc/self/fd/" + strconv.Itoa(descriptor) }

// namesIn returns the names in an open folder, of any bytes, in no order.
func namesIn(folder int) ([]string, error) {
	again, err := syscall.Openat(folder, ".", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(again), ".")
	defer file.Close()
	return file.Readdirnames(-1)
}

// isFolder returns whether an entry of a folder is one itself; a link to one is not.
func isFolder(parent int, name string) bool {
	descriptor, err := syscall.Openat(parent, name, openPath|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	syscall.Close(descriptor)
	return true
}
