package main

import (
	"errors"
	"syscall"
	"unsafe"
)

// maxCopied is what one read takes at most: small enough to stay in the processor's cache.
const maxCopied = 64 << 10

// copies are the connections of a pipe.
type copies struct {
	epoll, listener int
	// By descriptor.
	ends   map[int]*end
	events [16]syscall.EpollEvent
	buffer [maxCopied]byte
}

// end is one side of a connection.
type end struct {
	fd   int
	peer *end
	// What has been read from the peer and found no room here yet.
	rest []byte
}

func newCopies(listener int) (*copies, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &copies{epoll: epoll, listener: listener, ends: map[int]*end{}}
	return c, c.watch(syscall.EPOLL_CTL_ADD, listener, syscall.EPOLLIN)
}

// add copies between two sockets until one of them ends, and closes both.
func (c *copies) add(near, far int) error {
	a, b := &end{fd: near}, &end{fd: far}
	a.peer, b.peer = b, a
	c.ends[near], c.ends[far] = a, b
	return errors.Join(
		c.watch(syscall.EPOLL_CTL_ADD, near, syscall.EPOLLIN),
		c.watch(syscall.EPOLL_CTL_ADD, far, syscall.EPOLLIN))
}

// turn waits once and does what there is to do. It tells whether somebody wants to connect.
func (c *copies) turn() (accepted bool, err error) {
	count, errno := c.wait()
	if errno == syscall.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, errno
	}
	for _, event := range c.events[:count] {
		if int(event.Fd) == c.listener {
			accepted = true
			continue
		}
		// Its other side may have ended it a moment ago.
		e := c.ends[int(event.Fd)]
		if e != nil && !c.serve(e, event.Events) {
			delete(c.ends, e.fd)
			delete(c.ends, e.peer.fd)
			syscall.Close(e.fd)
			syscall.Close(e.peer.fd)
		}
	}
	return accepted, nil
}

// serve tells whether the connection goes on.
func (c *copies) serve(e *end, events uint32) bool {
	if events&syscall.EPOLLOUT != 0 {
		return c.send(e, e.rest)
	}
	// Not asked for while the peer has no room: the connection is dead.
	if len(e.peer.rest) > 0 {
		return false
	}
	count, errno := raw(syscall.SYS_READ, e.fd, c.buffer[:])
	return errno == 0 && count > 0 && c.send(e.peer, c.buffer[:count])
}

// send writes what there is room for. While something is left, nothing more is read for it.
func (c *copies) send(to *end, bytes []byte) bool {
	waited := len(to.rest) > 0
	for len(bytes) > 0 {
		written, errno := raw(syscall.SYS_WRITE, to.fd, bytes)
		if errno == syscall.EAGAIN {
			break
		}
		if errno != 0 {
			return false
		}
		bytes = bytes[written:]
	}
	waits := len(bytes) > 0
	if waited || waits {
		to.rest = append([]byte(nil), bytes...)
	}
	return waited == waits || errors.Join(c.update(to), c.update(to.peer)) == nil
}

// update waits for room where something is left, and for bytes where their way is free.
func (c *copies) update(e *end) error {
	var events uint32
	if len(e.rest) > 0 {
		events |= syscall.EPOLLOUT
	}
	if len(e.peer.rest) == 0 {
		events |= syscall.EPOLLIN
	}
	return c.watch(syscall.EPOLL_CTL_MOD, e.fd, events)
}

func (c *copies) watch(operation, fd int, events uint32) error {
	return syscall.EpollCtl(c.epoll, operation, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// What is called for every byte goes past Go's scheduler: to tell it of each call costs a sixth of the calls with 8 callers.

func (c *copies) wait() (int, syscall.Errno) {
	const forever = ^uintptr(0)
	count, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(c.epoll),
		uintptr(unsafe.Pointer(&c.events)), uintptr(len(c.events)), forever, 0, 0)
	return int(count), errno
}

// raw reads or writes; bytes must not be empty.
func raw(call uintptr, fd int, bytes []byte) (int, syscall.Errno) {
	count, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&bytes[0])), uintptr(len(bytes)))
	return int(count), errno
}
