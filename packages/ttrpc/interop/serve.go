package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "peerpods.ttrpc.testing.v1.Echo"

func serve(socket string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.RegisterService(service, &ttrpc.ServiceDesc{Methods: unaryMethods(), Streams: streams()})
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(context.Background(), listener) }()
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	server.Close()
	if err := <-failed; !errors.Is(err, ttrpc.ErrServerClosed) {
		return err
	}
	return nil
}

func unaryMethods() map[string]ttrpc.Method {
	return map[string]ttrpc.Method{
		"Say": func(_ context.Context, read func(interface{}) error) (interface{}, error) {
			text := new(wrapperspb.StringValue)
			return text, read(text)
		},
		"Produce": func(_ context.Context, read func(interface{}) error) (interface{}, error) {
			count := new(wrapperspb.UInt32Value)
			if err := read(count); err != nil {
				return nil, err
			}
			return wrapperspb.Bytes(make([]byte, count.Value)), nil
		},
		"Fail": func(_ context.Context, read func(interface{}) error) (interface{}, error) {
			text := new(wrapperspb.StringValue)
			if err := read(text); err != nil {
				return nil, err
			}
			code, message, _ := strings.Cut(text.Value, ":")
			number, err := strconv.Atoi(code)
			if err != nil {
				return nil, err
			}
			failure := status.New(codes.Code(number), message)
			if detailed, err := failure.WithDetails(wrapperspb.String("detail of " + message)); err == nil {
				failure = detailed
			}
			return nil, failure.Err()
		},
		"Hang": func(ctx context.Context, read func(interface{}) error) (interface{}, error) {
			if err := read(new(emptypb.Empty)); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"Metadata": func(ctx context.Context, read func(interface{}) error) (interface{}, error) {
			key := new(wrapperspb.StringValue)
			if err := read(key); err != nil {
				return nil, err
			}
			metadata, _ := ttrpc.GetMetadata(ctx)
			return wrapperspb.String(strings.Join(metadata[key.Value], "|")), nil
		},
		"TimeLeft": func(ctx context.Context, read func(interface{}) error) (interface{}, error) {
			if err := read(new(emptypb.Empty)); err != nil {
				return nil, err
			}
			deadline, has := ctx.Deadline()
			if !has {
				return wrapperspb.Int64(-1), nil
			}
			return wrapperspb.Int64(time.Until(deadline).Milliseconds()), nil
		},
	}
}

func streams() map[string]ttrpc.Stream {
	return map[string]ttrpc.Stream{
		"Count": {StreamingServer: true, Handler: func(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
			limit := new(wrapperspb.UInt32Value)
			if err := stream.RecvMsg(limit); err != nil {
				return nil, err
			}
			for next := uint32(0); next < limit.Value; next++ {
				if err := stream.SendMsg(wrapperspb.UInt32(next)); err != nil {
					return nil, err
				}
			}
			if limit.Value%2 == 1 {
				return nil, status.Error(codes.OutOfRange, "odd")
			}
			return nil, nil
		}},
		"Sum": {StreamingClient: true, Handler: func(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
			sum := uint64(0)
			for {
				number := new(wrapperspb.UInt32Value)
				err := stream.RecvMsg(number)
				if errors.Is(err, io.EOF) {
					return wrapperspb.UInt64(sum), nil
				}
				if err != nil {
					return nil, err
				}
				sum += uint64(number.Value)
			}
		}},
		"Chat": {StreamingClient: true, StreamingServer: true, Handler: func(_ context.Context, stream ttrpc.StreamServer) (interface{}, error) {
			for {
				text := new(wrapperspb.StringValue)
				err := stream.RecvMsg(text)
				if errors.Is(err, io.EOF) {
					return nil, nil
				}
				if err != nil {
					return nil, err
				}
				if err := stream.SendMsg(text); err != nil {
					return nil, err
				}
			}
		}},
	}
}
