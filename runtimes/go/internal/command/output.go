package command

import (
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const pieceBytes = 16 * 1024

// pieces are held while there is something to read, so that the silent output of a child costs no memory.
var pieces = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// output is a pipe of which the last bytes are kept.
type output struct {
	readEnd  *os.File
	pipe     syscall.RawConn // the read end
	writeEnd int
	limit    int
	kept     []byte
	drained  chan struct{}
	fault    any // the panic that ended the draining
}

func newOutput(limit int) (*output, error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	// Ours alone: what does not block is watched by the runtime's poller, and the child's has to block.
	syscall.SetNonblock(ends[0], true)
	o := &output{
		readEnd:  os.NewFile(uintptr(ends[0]), "output"),
		writeEnd: ends[1],
		limit:    limit,
		drained:  make(chan struct{}),
	}
	var err error
	if o.pipe, err = o.readEnd.SyscallConn(); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// drain reads whatever comes, until the last writer has closed the pipe or tail is called.
func (o *output) drain() {
	// The child alone has the other end from now on.
	syscall.Close(o.writeEnd)
	go func() {
		defer func() {
			if o.fault = recover(); o.fault != nil {
				o.readEnd.Close() // so that the child does not wait for it
			}
			close(o.drained)
		}()
		for length := 1; length > 0; {
			if o.pipe.Read(func(descriptor uintptr) bool {
				var err error
				length, err = o.read(descriptor)
				return err != syscall.EAGAIN
			}) != nil {
				return // It is the deadline that tail sets.
			}
		}
	}()
}

// tail reads what the pipe holds now and no more, since a descendant that got away may write for ever; it closes
// the pipe and returns the last bytes of all that came.
func (o *output) tail() []byte {
	o.readEnd.SetReadDeadline(time.Unix(1, 0))
	<-o.drained
	if o.fault != nil {
		panic(o.fault) // where somebody can handle it
	}
	_ = o.pipe.Control(func(descriptor uintptr) {
		for held := unread(descriptor); held > 0; {
			length, err := o.read(descriptor)
			if err != nil || length == 0 {
				return
			}
			held -= length
		}
	})
	o.readEnd.Close()
	return o.kept[max(0, len(o.kept)-o.limit):]
}

// close ends an output that was never drained.
func (o *output) close() {
	syscall.Close(o.writeEnd)
	o.readEnd.Close()
}

// read takes a piece out of the pipe, if there is one.
func (o *output) read(descriptor uintptr) (int, error) {
	piece := pieces.Get().(*[pieceBytes]byte)
	defer pieces.Put(piece)
	length, err := syscall.Read(int(descriptor), piece[:])
	for err == syscall.EINTR {
		length, err = syscall.Read(int(descriptor), piece[:])
	}
	if err != nil {
		return 0, err
	}
	o.kept = append(o.kept, piece[:length]...)
	// Not at every piece, because what is kept moves to the front.
	if excess := len(o.kept) - o.limit; excess > max(o.limit, pieceBytes) {
		o.kept = o.kept[:copy(o.kept, o.kept[excess:])]
	}
	return length, nil
}

// unread returns how many bytes a pipe holds.
func unread(descriptor uintptr) int {
	var held int32
	syscall.Syscall(syscall.SYS_IOCTL, descriptor, syscall.TIOCINQ, uintptr(unsafe.Pointer(&held)))
	return int(held)
}
