package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The three calls that are measured, with message types whose wire form is that of the agent protocol:
// a string in field 1 is CheckRequest, bytes in field 1 ReadStreamResponse, and so on. Well-known types spare
// generated code and take the fast path of the protobuf library, as generated code does.
type call struct {
	service, method string
	request, answer func() proto.Message
}

var calls = map[string]call{
	"check": {"grpc.Health", "Check",
		func() proto.Message { return &wrapperspb.StringValue{} },
		func() proto.Message { return &wrapperspb.Int32Value{} }},
	"read": {"grpc.AgentService", "ReadStdout",
		func() proto.Message { return &anypb.Any{} },
		func() proto.Message { return &wrapperspb.BytesValue{} }},
	"write": {"grpc.AgentService", "WriteStdin",
		func() proto.Message { return &anypb.Any{} },
		func() proto.Message { return &wrapperspb.UInt32Value{} }},
}

// handler answers one call, given the decoded request.
type handler func(ctx context.Context, name string, request proto.Message) (proto.Message, error)

func register(server *ttrpc.Server, handle handler) {
	services := map[string]map[string]ttrpc.Method{}
	for name, c := range calls {
		if services[c.service] == nil {
			services[c.service] = map[string]ttrpc.Method{}
		}
		services[c.service][c.method] = func(ctx context.Context, decode func(interface{}) error) (interface{}, error) {
			request := c.request()
			if err := decode(request); err != nil {
				return nil, err
			}
			return handle(ctx, name, request)
		}
	}
	for service, methods := range services {
		server.RegisterService(service, &ttrpc.ServiceDesc{Methods: methods})
	}
}

// readRequest asks for size bytes. It stands in the place of the exec id, whose length is about that of a real one.
func readRequest(size int) proto.Message {
	return &anypb.Any{TypeUrl: "container", Value: []byte(strconv.Itoa(size))}
}

// agentAnswers is the end of the line: a read returns as many bytes as were asked for, a write is acknowledged.
type agentAnswers struct{ data []byte }

func (a *agentAnswers) handle(_ context.Context, name string, request proto.Message) (proto.Message, error) {
	switch name {
	case "check":
		return wrapperspb.Int32(1), nil
	case "read":
		size, err := strconv.Atoi(string(request.(*anypb.Any).Value))
		if err != nil || size < 0 || size > len(a.data) {
			return nil, fmt.Errorf("cannot read %q bytes, at most %d", request.(*anypb.Any).Value, len(a.data))
		}
		return wrapperspb.Bytes(a.data[:size]), nil
	default:
		return wrapperspb.UInt32(uint32(proto.Size(request))), nil
	}
}
