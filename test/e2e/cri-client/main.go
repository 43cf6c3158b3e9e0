// cri-client makes one call of the container runtime interface, as a kubelet would.
//
//	cri-client unix:///run/containerd.sock RuntimeService/RunPodSandbox <request.json >response.json
//
// Requests and responses are protobuf's JSON. A call that fails ends with status 1 and the gRPC status on standard error.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Registers the messages of runtime.v1, which are found by name.
	_ "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const deadline = 2 * time.Minute

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cri-client ENDPOINT SERVICE/METHOD <request.json")
		os.Exit(2)
	}
	if err := call(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call(endpoint, name string, in io.Reader, out io.Writer) error {
	request, response, err := messagesOf(name)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(text, request); err != nil {
		return fmt.Errorf("the request is no %s: %w", request.ProtoReflect().Descriptor().FullName(), err)
	}
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := connection.Invoke(ctx, "/runtime.v1."+name, request, response); err != nil {
		return err
	}
	// A field of its default would be left out, such as a state that is the first of its kind.
	answer, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(response)
	if err != nil {
		return err
	}
	_, err = out.Write(answer)
	return err
}

// messagesOf makes the request and the response of "RuntimeService/Version" and the like.
func messagesOf(name string) (request, response proto.Message, err error) {
	service, method, _ := strings.Cut(name, "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("runtime.v1." + service))
	if err != nil {
		return nil, nil, err
	}
	services, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, nil, fmt.Errorf("%s is no service", service)
	}
	descriptor := services.Methods().ByName(protoreflect.Name(method))
	if descriptor == nil {
		return nil, nil, fmt.Errorf("%s has no method %s", service, method)
	}
	in, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.Input().FullName())
	if err != nil {
		return nil, nil, err
	}
	result, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.Output().FullName())
	if err != nil {
		return nil, nil, err
	}
	return in.New().Interface(), result.New().Interface(), nil
}
