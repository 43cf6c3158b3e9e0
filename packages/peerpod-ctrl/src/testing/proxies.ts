import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A proxy on loopback that counts what goes through it. */
export interface TestProxy extends AsyncDisposable {
  readonly url: string;
  readonly tunnels: number;
}

/** One that is asked with CONNECT. */
export async function startHttpProxy(): Promise<TestProxy> {
  return await start("http", (join) =>
    createHttpServer().on("connect", (request, socket: Socket) => {
      const { hostname, port } = new URL(`http://${request.url}`);
      join(socket, { host: hostname, port: Number(port), hello: "HTTP/1.1 200 OK\r\n\r\n" });
    }),
  );
}

/** One that speaks SOCKS5 (RFC 1928), to IPv4 addresses and names. */
export async function startSocksProxy(): Promise<TestProxy> {
  return await start("socks5", (join) =>
    createServer((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.from([5, 0]));
        socket.once("data", (request) => {
          const isName = request[3] === 3;
          const length = isName ? (request[4] ?? 0) : 4;
          const address = request.subarray(isName ? 5 : 4).subarray(0, length);
          join(socket, {
            host: isName ? address.toString() : address.join("."),
            port: request.readUInt16BE(request.length - 2),
            hello: Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
          });
        });
      });
    }),
  );
}

type Join = (
  socket: Socket,
  target: { readonly host: string; readonly port: number; readonly hello: string | Buffer },
) => void;

async function start(scheme: string, listen: (join: Join) => Server): Promise<TestProxy> {
  let tunnels = 0;
  const sockets = new Set<Socket>();
  const join: Join = (socket, { host, port, hello }) => {
    const onward = connect(port, host, () => {
      tunnels += 1;
      socket.write(hello);
      socket.pipe(onward).pipe(socket);
    });
    for (const [end, peer] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(end);
      end.on("error", () => peer.destroy()).on("close", () => peer.destroy());
    }
  };
  const server = listen(join).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get tunnels() {
      return tunnels;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
