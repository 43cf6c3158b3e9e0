// Comparator for the bench: a two-hop ttrpc relay written the usual way (each hop decodes a call and encodes it
// again, mutual TLS between the hops), the agent behind it, and the load that drives any relay. Beside them a hop that only
// copies, for what two hops cost at least.
//
//	comparator agent -listen unix:PATH
//	comparator hop   -listen ADDR -dial ADDR [-listen-tls DIR] [-dial-tls DIR]
//	comparator pipe  -listen ADDR -dial ADDR
//	comparator load  -dial ADDR [-dial-tls DIR] -call check|read|write -size N -callers N -calls N
//
// ADDR is unix:PATH or tcp:HOST:PORT. A TLS directory holds ca.crt, tls.crt and tls.key.
package main

import (
	"fmt"
	"os"
)

func main() {
	commands := map[string]func([]string) error{"agent": agent, "hop": hop, "pipe": pipe, "load": load}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: comparator agent|hop|pipe|load [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
