import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { KubeConfig, type Cluster, type User } from "@kubernetes/client-node";
import {
  createLoopbackCertificate,
  type LoopbackCertificate,
} from "@peerpods/test-harness/loopback-certificate";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { startHttpProxy, startSocksProxy } from "../testing/proxies.ts";
import { createKubeClient, type KubeRequest } from "./kube-client.ts";

const get: KubeRequest = { method: "GET", path: "/api", verb: "get", group: "", resource: "pods" };
const post: KubeRequest = { ...get, method: "POST", verb: "create", body: { text: "x".repeat(20_000) } };
/** As a deletion with preconditions. */
const remove: KubeRequest = { ...post, method: "DELETE", verb: "delete" };
const held: KubeRequest = { ...get, path: "/held" };
/** Answers with one line and does not end. */
const endless: KubeRequest = { ...get, path: "/endless" };

let certificates: readonly [LoopbackCertificate, LoopbackCertificate];
let server: ReturnType<typeof createSecureServer>;
let url: string;
let directory: string;
/** The client's certificate on each connection, or nothing. */
let connections: string[] = [];
let seen: { readonly version: string; readonly authorization: string | undefined }[] = [];
let answerHeld = Promise.withResolvers<void>();
const sockets = new Set<Socket>();

beforeAll(async () => {
  certificates = [await createLoopbackCertificate(), await createLoopbackCertificate()];
  directory = await mkdtemp(join(tmpdir(), "ppc-"));
  // Offers HTTP/2 and HTTP/1.1, as API servers do.
  server = createSecureServer(
    { ...certificates[0], allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      seen.push({ version: request.httpVersion, authorization: request.headers.authorization });
      request.resume().on("end", () => {
        const answer = () => void response.end("{}");
        if (request.url?.startsWith(endless.path)) response.write("{}\n");
        else if (request.url === held.path) void answerHeld.promise.then(answer);
        else answer();
      });
    },
  );
  server.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    connections.push(socket.getPeerX509Certificate()?.toString().trim() ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  connections = [];
  seen = [];
  answerHeld = Promise.withResolvers();
});
afterEach(() => answerHeld.resolve());

function clientOf(user: Partial<User> = {}, cluster: Partial<Cluster> = {}) {
  const config = new KubeConfig();
  const caData = Buffer.from(certificates[0].cert).toString("base64");
  config.loadFromClusterAndUser(
    { name: "c", server: url, skipTLSVerify: false, caData, ...cluster },
    { name: "u", ...user },
  );
  return createKubeClient(config);
}

const request = () => expect.poll(() => seen.length);

it("serve one request after another, in HTTP/1.1 though more is offered", async () => {
  using kube = clientOf({ token: "t0ken" });
  for (let n = 0; n < 20; n++) await kube.request([get, post, remove][n % 3] ?? get);
  expect(connections).toHaveLength(1);
  expect(seen).toEqual(Array.from({ length: 20 }, () => ({ version: "1.1", authorization: "Bearer t0ken" })));
});

it("survive requests that are aborted at any moment", async () => {
  using kube = clientOf();
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      await delay(n % 30);
      const stop = new AbortController();
      const asked = kube.request(n % 3 === 0 ? get : post, { signal: stop.signal });
      setTimeout(() => stop.abort(new DOMException("enough", "AbortError")), n % 17);
      return await asked.then(
        () => "answered",
        (error: { code?: string }) => error.code,
      );
    }),
  );
  expect(new Set(outcomes).isSubsetOf(new Set(["answered", "aborted"]))).toBe(true);
  expect(outcomes).toContain("aborted");
  await expect(kube.request(post)).resolves.toEqual({});
});

it.each([
  ["aborts", "aborted", (stop: AbortController) => stop.abort(new DOMException("enough", "AbortError"))],
  ["the server breaks off", "unavailable", () => sockets.forEach((socket) => socket.destroy())],
  ["nothing comes any more", "timeout", () => undefined],
])("end an answer that is being read when %s", async (_when, code, act) => {
  using kube = clientOf();
  const stop = new AbortController();
  const events = kube.watch(endless, { signal: stop.signal, idleMs: 1_000 })[Symbol.asyncIterator]();
  await expect(events.next()).resolves.toEqual({ done: false, value: {} });
  act(stop);
  await expect(events.next()).rejects.toMatchObject({ code });
});

it("begin anew with a certificate that was renewed, and let the old ones finish", async () => {
  const [certFile, keyFile] = [join(directory, "tls.crt"), join(directory, "tls.key")];
  const write = async ({ cert, key }: LoopbackCertificate) => {
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
  };
  await write(certificates[0]);
  using kube = clientOf({ certFile, keyFile });
  const slow = kube.request(held);
  await request().toBe(1);
  await write(certificates[1]);
  await kube.request(get);
  await kube.request(get);
  answerHeld.resolve();
  await expect(slow).resolves.toEqual({});
  expect(new Set(connections)).toEqual(new Set(certificates.map(({ cert }) => cert.trim())));
});

it("name the user by password where the kubeconfig does", async () => {
  using kube = clientOf({ username: "ann", password: "s3cret" });
  await kube.request(get);
  expect(seen[0]?.authorization).toBe(`Basic ${Buffer.from("ann:s3cret").toString("base64")}`);
});

it("wait for a credential plugin no longer than for the answer", async () => {
  using kube = clientOf({
    exec: { apiVersion: "client.authentication.k8s.io/v1", command: "sleep", args: ["3"] },
  });
  await expect(kube.request(get, { timeoutMs: 200 })).rejects.toMatchObject({ code: "timeout" });
  expect(seen).toEqual([]);
});

it.each([
  ["HTTP", startHttpProxy],
  ["SOCKS", startSocksProxy],
])("go through the %s proxy of the kubeconfig", async (_name, startProxy) => {
  await using proxy = await startProxy();
  using kube = clientOf({}, { proxyUrl: proxy.url });
  for (let n = 0; n < 10; n++) await kube.request(post);
  expect(proxy.tunnels).toBe(connections.length);
  expect(proxy.tunnels).toBeGreaterThan(0);
  expect(new Set(seen.map(({ version }) => version))).toEqual(new Set(["1.1"]));
});

it("end with what is under way when disposed, twice, and serve nothing any more", async () => {
  const kube = clientOf();
  const pending = kube.request(held).catch((error: unknown) => error);
  await request().toBe(1);
  kube[Symbol.dispose]();
  kube[Symbol.dispose]();
  await expect(pending).resolves.toMatchObject({ code: "unavailable" });
  await expect(kube.request(get)).rejects.toThrow("the connections to the API server are closed");
});

it("that cannot be made say so by address", async () => {
  using kube = clientOf({}, { server: "https://127.0.0.1:1" });
  await expect(kube.request(get)).rejects.toThrow("cannot get pods: connect ECONNREFUSED 127.0.0.1:1");
});
