package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A call to make. Times is how often, side by side.
type command struct {
	Method    string              `json:"method"`
	Text      string              `json:"text"`
	Number    uint32              `json:"number"`
	Length    int                 `json:"length"`
	TimeoutMs int64               `json:"timeoutMs"`
	Metadata  map[string][]string `json:"metadata"`
	Service   string              `json:"service"`
	Times     int                 `json:"times"`
}

// What came of it: answers, or the failure with its status if it has one.
type result struct {
	Answers []string `json:"answers"`
	Error   string   `json:"error,omitempty"`
	Code    *uint32  `json:"code,omitempty"`
	Message string   `json:"message,omitempty"`
	Details []string `json:"details,omitempty"`
}

func call(socket string) error {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	client := ttrpc.NewClient(connection)
	defer client.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		asked := command{Service: service, Times: 1}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		if asked.Method == "close" {
			client.Close()
			fmt.Println("{}")
			continue
		}
		encoded, err := json.Marshal(perform(client, asked))
		if err != nil {
			return err
		}
		fmt.Println(string(encoded))
	}
	return lines.Err()
}

func perform(client *ttrpc.Client, asked command) result {
	answers := make([][]string, asked.Times)
	failures := make([]error, asked.Times)
	var all sync.WaitGroup
	for index := range answers {
		all.Add(1)
		go func() {
			defer all.Done()
			answers[index], failures[index] = performOnce(client, asked)
		}()
	}
	all.Wait()
	done := result{Answers: []string{}}
	for index := range answers {
		done.Answers = append(done.Answers, answers[index]...)
	}
	if err := errors.Join(failures...); err != nil {
		describe(&done, failures[0], err)
	}
	return done
}

func describe(done *result, first, all error) {
	done.Error = all.Error()
	if answered, ok := status.FromError(first); ok {
		code := uint32(answered.Code())
		done.Code = &code
		done.Message = answered.Message()
		for _, detail := range answered.Proto().GetDetails() {
			done.Details = append(done.Details, detail.TypeUrl)
		}
	}
}

func performOnce(client *ttrpc.Client, asked command) ([]string, error) {
	ctx := context.Background()
	if asked.TimeoutMs != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(asked.TimeoutMs)*time.Millisecond)
		defer cancel()
	}
	if asked.Metadata != nil {
		ctx = ttrpc.WithMetadata(ctx, ttrpc.MD(asked.Metadata))
	}
	text := asked.Text
	if asked.Length > 0 {
		text = strings.Repeat("x", asked.Length)
	}
	switch asked.Method {
	case "Count":
		return count(ctx, client, asked.Number)
	case "Sum":
		return sum(ctx, client, asked.Number)
	case "Chat":
		return chat(ctx, client, asked.Number)
	}
	request, answer := messagesOf(asked.Method, text, asked.Number)
	if err := client.Call(ctx, asked.Service, asked.Method, request, answer); err != nil {
		return nil, err
	}
	return []string{show(answer)}, nil
}

func messagesOf(method, text string, number uint32) (request, answer proto.Message) {
	switch method {
	case "Produce":
		return wrapperspb.UInt32(number), new(wrapperspb.BytesValue)
	case "Hang":
		return new(emptypb.Empty), new(emptypb.Empty)
	case "Fail":
		return wrapperspb.String(text), new(emptypb.Empty)
	case "TimeLeft":
		return new(emptypb.Empty), new(wrapperspb.Int64Value)
	default:
		return wrapperspb.String(text), new(wrapperspb.StringValue)
	}
}

func show(message proto.Message) string {
	switch value := message.(type) {
	case *wrapperspb.StringValue:
		if len(value.Value) > 100 {
			return fmt.Sprintf("%d characters", len(value.Value))
		}
		return value.Value
	case *wrapperspb.BytesValue:
		return fmt.Sprintf("%d bytes", len(value.Value))
	case *wrapperspb.UInt32Value:
		return fmt.Sprint(value.Value)
	case *wrapperspb.UInt64Value:
		return fmt.Sprint(value.Value)
	case *wrapperspb.Int64Value:
		return fmt.Sprint(value.Value)
	default:
		return ""
	}
}

func count(ctx context.Context, client *ttrpc.Client, limit uint32) ([]string, error) {
	desc := &ttrpc.StreamDesc{StreamingServer: true}
	stream, err := client.NewStream(ctx, desc, service, "Count", wrapperspb.UInt32(limit))
	if err != nil {
		return nil, err
	}
	return receive(stream, func() proto.Message { return new(wrapperspb.UInt32Value) })
}

func receive(stream ttrpc.ClientStream, make func() proto.Message) ([]string, error) {
	answers := []string{}
	for {
		message := make()
		err := stream.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return answers, err
		}
		answers = append(answers, show(message))
	}
}

func sum(ctx context.Context, client *ttrpc.Client, limit uint32) ([]string, error) {
	stream, err := client.NewStream(ctx, &ttrpc.StreamDesc{StreamingClient: true}, service, "Sum", nil)
	if err != nil {
		return nil, err
	}
	for next := uint32(0); next < limit; next++ {
		if err := stream.SendMsg(wrapperspb.UInt32(next)); err != nil {
			return nil, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	answer := new(wrapperspb.UInt64Value)
	if err := stream.RecvMsg(answer); err != nil {
		return nil, err
	}
	return []string{show(answer)}, nil
}

func chat(ctx context.Context, client *ttrpc.Client, turns uint32) ([]string, error) {
	desc := &ttrpc.StreamDesc{StreamingClient: true, StreamingServer: true}
	stream, err := client.NewStream(ctx, desc, service, "Chat", nil)
	if err != nil {
		return nil, err
	}
	answers := []string{}
	for turn := uint32(0); turn < turns; turn++ {
		if err := stream.SendMsg(wrapperspb.String(fmt.Sprint("turn ", turn))); err != nil {
			return answers, err
		}
		answer := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(answer); err != nil {
			return answers, err
		}
		answers = append(answers, answer.Value)
	}
	if err := stream.CloseSend(); err != nil {
		return answers, err
	}
	rest, err := receive(stream, func() proto.Message { return new(wrapperspb.StringValue) })
	return append(answers, rest...), err
}
