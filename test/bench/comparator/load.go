package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// result of one load, times in microseconds.
type result struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50Us"`
	P99     float64 `json:"p99Us"`
}

// load makes -calls calls with -callers at a time over one connection and prints a result as JSON.
func load(args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	address := flags.String("dial", "", "address")
	dialTLS := flags.String("dial-tls", "", "directory with ca.crt, tls.crt, tls.key")
	name := flags.String("call", "check", "check, read or write")
	size := flags.Int("size", 0, "bytes that a read returns or a write carries")
	callers := flags.Int("callers", 1, "calls in flight")
	count := flags.Int("calls", 10000, "calls in all")
	flags.Parse(args)

	conn, err := dial(*address, *dialTLS)
	if err != nil {
		return err
	}
	client := ttrpc.NewClient(conn)
	defer client.Close()
	request := func() proto.Message {
		switch *name {
		case "check":
			return wrapperspb.String("")
		case "read":
			return readRequest(*size)
		default:
			return &anypb.Any{TypeUrl: "container", Value: make([]byte, *size)}
		}
	}
	c := calls[*name]
	once := func(message proto.Message) error {
		return client.Call(context.Background(), c.service, c.method, message, c.answer())
	}
	for range min(*count, 200) {
		if err := once(request()); err != nil {
			return err
		}
	}

	var next atomic.Int64
	var failure atomic.Pointer[error]
	times := make([]float64, *count)
	var group sync.WaitGroup
	started := time.Now()
	for range *callers {
		group.Add(1)
		go func() {
			defer group.Done()
			message := request()
			for {
				i := next.Add(1) - 1
				if i >= int64(*count) {
					return
				}
				before := time.Now()
				if err := once(message); err != nil {
					failure.Store(&err)
					return
				}
				times[i] = float64(time.Since(before).Nanoseconds()) / 1e3
			}
		}()
	}
	group.Wait()
	seconds := time.Since(started).Seconds()
	if err := failure.Load(); err != nil {
		return *err
	}
	slices.Sort(times)
	return json.NewEncoder(os.Stdout).Encode(result{*count, seconds, times[*count/2], times[*count*99/100]})
}
