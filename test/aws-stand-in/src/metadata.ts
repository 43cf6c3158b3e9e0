import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An instance metadata service (version 2 only) on loopback. */
export interface MetadataStandIn extends AsyncDisposable {
  readonly endpoint: string;
}

/** @param values answers by path below `/latest/meta-data/`; every other path is not found. */
export async function startMetadataStandIn(
  values: Readonly<Record<string, string>>,
): Promise<MetadataStandIn> {
  const token = "metadata-session";
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.method === "PUT" && path === "/latest/api/token") return void response.end(token);
    if (request.headers["x-aws-ec2-metadata-token"] !== token) return void response.writeHead(401).end();
    const value = values[path.replace("/latest/meta-data/", "")];
    return void (value === undefined ? response.writeHead(404).end() : response.end(value));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
