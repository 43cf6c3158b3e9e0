import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { refusedAsync, require } from "../allowed.ts";
import { UserDataError, azureSource } from "../internals.ts";
import type { FuzzTarget } from "../target.ts";

const maxUserDataBytes = 2 << 20;

/** The input is the answer of a metadata service, status line and all. It is user data, or a UserDataError. */
export const metadata: FuzzTarget = {
  name: "metadata",
  boundary: "a cloud's metadata service, or whoever answers at its address, to the pod VM",
  seeds: [
    Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\naGVsbG8K"),
    Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\naGVsbG8K\r\n0\r\n\r\n"),
    Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"),
    Buffer.from("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    Buffer.from("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\naGVsbG8K"),
  ],
  words: [
    "\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "Content-Length: 0\r\n",
    "ffffffff\r\n",
    "====",
    "br",
    "\0",
  ],
  async open() {
    let answer: Buffer = Buffer.alloc(0);
    const service = createServer((socket) => {
      socket.on("error", () => undefined).once("data", () => socket.end(answer));
    });
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    const source = azureSource("/", `http://127.0.0.1:${(service.address() as AddressInfo).port}`);
    return {
      async take(input) {
        answer = input;
        const read = await refusedAsync(
          () => source.read({ signal: new AbortController().signal }),
          (error) => error instanceof UserDataError,
        );
        require((read?.byteLength ?? 0) <= 1.1 * maxUserDataBytes, "user data keeps its limit");
      },
      async [Symbol.asyncDispose]() {
        service.close();
        await once(service, "close");
      },
    };
  },
};
