package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
)

// pipe carries every connection to -dial and copies bytes both ways. One thread waits for all of them with epoll, reads and
// writes: no program can pay less for a hop that sees the bytes.
func pipe(args []string) error {
	flags := flag.NewFlagSet("pipe", flag.ExitOnError)
	address := flags.String("listen", "", "address")
	upstream := flags.String("dial", "", "address of the next hop")
	flags.Parse(args)
	// With more, or with a goroutine that waits beside this one, the runtime's threads take turns with it: with 8 callers
	// twice the CPU, and a fifth fewer calls.
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()

	network, where, err := split(*address)
	if err != nil {
		return err
	}
	if network == "unix" {
		os.Remove(where)
	}
	listener, err := net.Listen(network, where)
	if err != nil {
		return err
	}
	accepting, err := descriptor(listener.(filer))
	if err != nil {
		return err
	}
	copies, err := newCopies(accepting)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		accepted, err := copies.turn()
		if err != nil {
			return err
		}
		if accepted {
			if err := carry(copies, accepting, *upstream); err != nil {
				return err
			}
		}
	}
}

// carry dials for a connection that has come.
func carry(copies *copies, accepting int, upstream string) error {
	near, _, err := syscall.Accept4(accepting, syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
	if err != nil {
		return err
	}
	// Fails on a Unix socket, which has nothing to delay.
	syscall.SetsockoptInt(near, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	conn, err := dial(upstream, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	far, err := descriptor(conn.(filer))
	if err != nil {
		return err
	}
	return copies.add(near, far)
}

type filer interface{ File() (*os.File, error) }

// descriptor is one of the socket's that Go's own poller knows nothing of.
func descriptor(socket filer) (int, error) {
	file, err := socket.File()
	if err != nil {
		return 0, err
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		return 0, err
	}
	return fd, syscall.SetNonblock(fd, true)
}
