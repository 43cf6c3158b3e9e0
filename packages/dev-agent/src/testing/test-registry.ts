import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const indexType = "application/vnd.oci.image.manifest.v1+json";

/** A registry (OCI distribution specification, the part that pulls need) that serves one OCI layout under any name. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Paths asked for so far. */
  readonly requests: string[];
}

/** @param credentials `user:password` that callers must give. */
export async function startTestRegistry(layout: string, credentials?: string): Promise<TestRegistry> {
  const requests: string[] = [];
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const digest = index.manifests[0]?.digest ?? "";
  const blob = (id: string) => readFile(join(layout, "blobs", ...id.split(":")));
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const given = Buffer.from(
      request.headers.authorization?.replace("Basic ", "") ?? "",
      "base64",
    ).toString();
    if (credentials !== undefined && given !== credentials) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const match = /\/(manifests|blobs)\/([^/]+)$/.exec(path);
    if (match === null) {
      response.writeHead(path === "/v2/" ? 200 : 404).end();
      return;
    }
    const [, kind, reference = ""] = match;
    const id = reference.startsWith("sha256:") ? reference : digest;
    if (kind === "manifests" && path.includes("/missing/")) {
      response.writeHead(404, { "content-type": "application/json" });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such image"}]}');
      return;
    }
    const headers = { "content-type": kind === "manifests" ? indexType : "application/octet-stream" };
    blob(id).then(
      (data) => response.writeHead(200, { ...headers, "docker-content-digest": id }).end(data),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
