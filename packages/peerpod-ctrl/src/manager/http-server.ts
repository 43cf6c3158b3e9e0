import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What an endpoint answers. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly contentType?: string;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves GET endpoints by path; others are 404.
 * @param address `host:port`, `:port` for all interfaces; port 0 takes a free one.
 * @throws Error when the address cannot be listened on.
 */
export async function serveHttp(
  address: string,
  endpoints: Readonly<Record<string, () => Answer | Promise<Answer>>>,
): Promise<HttpServer> {
  const [, host = "", port = ""] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(address) ?? [];
  if (port === "") throw new Error(`${JSON.stringify(address)} is not an address: give host:port or :port`);
  const server = createServer((request, response) => {
    const endpoint = endpoints[(request.url ?? "").split("?")[0] ?? ""];
    Promise.resolve(endpoint?.() ?? { status: 404, text: "not found\n" })
      .catch((error: unknown) => ({ status: 500, text: `${String(error)}\n`, contentType: "text/plain" }))
      .then(({ status, text, contentType = "text/plain" }) =>
        response.writeHead(status, { "content-type": contentType }).end(text),
      )
      .catch(() => response.destroy());
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 64;
  server.listen({ port: Number(port), ...(host === "" ? {} : { host }) });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(`cannot listen on ${address}; choose another address`, { cause: error });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
