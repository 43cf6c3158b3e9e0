import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What the probe asks of the daemon. */
export interface ProbeState {
  /** Whether the hypervisor socket is served now. */
  isReady(): Promise<boolean>;
  /** The text of `/metrics`; absent when there is none. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The HTTP endpoint for the kubelet, on the loopback address. */
export interface ProbeServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves `/startup` and `/readyz` (200 once the hypervisor socket answers, else 503) and `/livez` (200 as long as the
 * process can answer at all), with empty bodies, and `/metrics` in Prometheus' text form. Other paths are 404.
 * @param port 0 takes a free one.
 * @throws Error when the port is taken.
 */
export async function serveProbe(state: ProbeState, port: number): Promise<ProbeServer> {
  // Node looks for requests that take too long only so often, by itself every 30 s.
  const server = createServer({ connectionsCheckingInterval: 1_000 }, (request, response) => {
    void answer(state, request.url ?? "").then(({ status, contentType, text }) => {
      response.writeHead(status, contentType === undefined ? {} : { "content-type": contentType }).end(text);
    });
  });
  // A probe sends one short request; whoever holds a connection open longer is none.
  server.requestTimeout = 5_000;
  server.maxConnections = 32;
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(`probe-port: cannot listen on 127.0.0.1:${port}; choose another one, or 0 for none`, {
      cause: error,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly text?: string;
}

async function answer(state: ProbeState, url: string): Promise<Answer> {
  switch (url.split("?")[0]) {
    case "/livez":
      return { status: 200 };
    case "/startup":
    case "/readyz":
      return { status: (await state.isReady().catch(() => false)) ? 200 : 503 };
    case "/metrics":
      if (state.metrics === undefined) return { status: 404 };
      return await state.metrics().then(
        (metrics) => ({ status: 200, ...metrics }),
        () => ({ status: 500 }),
      );
    default:
      return { status: 404 };
  }
}
