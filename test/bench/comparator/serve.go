package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
)

// maxRead leaves room for the envelope within the message limit of 4 MiB.
const maxRead = 3 << 20

func agent(args []string) error {
	flags := flag.NewFlagSet("agent", flag.ExitOnError)
	address := flags.String("listen", "", "address")
	flags.Parse(args)
	answers := &agentAnswers{data: make([]byte, maxRead)}
	return serve(*address, "", answers.handle)
}

func hop(args []string) error {
	flags := flag.NewFlagSet("hop", flag.ExitOnError)
	address := flags.String("listen", "", "address")
	upstream := flags.String("dial", "", "address of the next hop")
	listenTLS := flags.String("listen-tls", "", "directory with ca.crt, tls.crt, tls.key")
	dialTLS := flags.String("dial-tls", "", "directory with ca.crt, tls.crt, tls.key")
	flags.Parse(args)
	conn, err := dial(*upstream, *dialTLS)
	if err != nil {
		return err
	}
	client := ttrpc.NewClient(conn)
	return serve(*address, *listenTLS, func(ctx context.Context, name string, request proto.Message) (proto.Message, error) {
		c := calls[name]
		answer := c.answer()
		if err := client.Call(ctx, c.service, c.method, request, answer); err != nil {
			return nil, err
		}
		return answer, nil
	})
}

func serve(address, tlsDir string, handle handler) error {
	listener, err := listen(address)
	if err != nil {
		return err
	}
	if tlsDir != "" {
		config, err := tlsConfig(tlsDir)
		if err != nil {
			return err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
		listener = tls.NewListener(listener, config)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	register(server, handle)
	fmt.Println("ready")
	return server.Serve(context.Background(), listener)
}

// listen takes the place of a Unix socket that was left behind.
func listen(address string) (net.Listener, error) {
	network, where, err := split(address)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		os.Remove(where)
	}
	return net.Listen(network, where)
}

func dial(address, tlsDir string) (net.Conn, error) {
	network, where, err := split(address)
	if err != nil {
		return nil, err
	}
	if tlsDir == "" {
		return net.Dial(network, where)
	}
	config, err := tlsConfig(tlsDir)
	if err != nil {
		return nil, err
	}
	config.ServerName = "podvm-server"
	return tls.Dial(network, where, config)
}

func tlsConfig(dir string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate in ca.crt")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func split(address string) (string, string, error) {
	network, where, ok := strings.Cut(address, ":")
	if !ok || (network != "unix" && network != "tcp") {
		return "", "", fmt.Errorf("address %q is neither unix:PATH nor tcp:HOST:PORT", address)
	}
	return network, where, nil
}
