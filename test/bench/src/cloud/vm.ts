import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
import { Health } from "@peerpods/kata-protocols/health";
import { guestPaths, parseApfConfig } from "@peerpods/podvm-contract";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { parse } from "yaml";

/** A pod VM reduced to what the relay sees of it: a port with mutual TLS, and an agent that answers health checks. */
export type BenchVm = AsyncDisposable;

/** Takes its keys from the user data, as a pod VM does, and listens. */
export async function startVm(userData: string, address: { host: string; port: number }): Promise<BenchVm> {
  const {
    tlsServerCert: cert,
    tlsServerKey: key,
    tlsClientCa: ca,
  } = parseApfConfig(Buffer.from(apfJsonOf(userData)));
  if (cert === undefined || key === undefined || ca === undefined)
    throw new Error("the user data holds no TLS material; the bench measures with mutual TLS");
  const agent = createTtrpcServer((router) => router.service(Health, { check: () => ({ status: 1 }) }));
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    agent.serve(socket);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(address.port, address.host);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await agent[Symbol.asyncDispose]();
    },
  };
}

function apfJsonOf(userData: string): string {
  const { write_files: files } = parse(userData) as {
    write_files: readonly { path: string; content: string }[];
  };
  const file = files.find(({ path }) => path === guestPaths.apfConfig);
  if (file === undefined) throw new Error(`the user data has no ${guestPaths.apfConfig}`);
  return file.content;
}
