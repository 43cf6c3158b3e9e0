// A ttrpc peer made with the Go library, for tests of the TypeScript one.
//
//	peer serve SOCKET     serves the echo service until stdin ends; prints "ready"
//	peer call SOCKET      reads one JSON command a line from stdin, prints one JSON result a line
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: peer serve|call SOCKET")
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2])
	case "call":
		err = call(os.Args[2])
	default:
		err = fmt.Errorf("unknown mode %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
