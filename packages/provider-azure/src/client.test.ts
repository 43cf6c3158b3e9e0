import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createCallPolicy, silentLogger } from "@peerpods/cloud-providers";
import { expect, it } from "vitest";
import { createArm } from "./client.ts";
import { azureConfig } from "./config.ts";
import { loadedOptions } from "./testing/options.ts";
import { standInEnv } from "./testing/connect.ts";
import { describeWithAzure } from "./testing/stand-in-suite.ts";

const call = () => ({ signal: AbortSignal.timeout(30_000), logger: silentLogger });

describeWithAzure("the way to ARM", (standIn) => {
  const connected = async (env: Readonly<Record<string, string>> = {}) =>
    await createArm(
      azureConfig(loadedOptions({ ...standInEnv(standIn()), ...env }), {}),
      createCallPolicy({ scope: "test", retry: { maxTries: 3, baseMs: 1, maxMs: 2 } }),
    );

  it("does not lead to another server, whatever an answer names: the token would go there", async () => {
    using arm = await connected();
    await expect(
      arm.call("GetOperation", { path: "https://evil.example/operations/1?api-version=1" }, call()),
    ).rejects.toMatchObject({ code: "internal", message: expect.stringContaining("evil.example") as string });
    expect(standIn().calls).toEqual([]);
  });

  it("waits as long as ARM says when it is throttled, and tells how long when it gives up", async () => {
    using arm = await connected();
    using fault = standIn().account.faults.add({ kind: "throttle", times: Infinity });
    const soon = { ...call(), deadline: Date.now() + 500 };
    const error: unknown = await arm
      .call("GetGroup", { path: `/subscriptions/${standIn().account.subscription}` }, soon)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "throttled", retryable: true, retryAfterMs: 7_000 });
    expect(fault.hits).toBe(1);
  });

  it("ends with the call, and with the provider", async () => {
    const arm = await connected();
    using hang = standIn().account.faults.add({ kind: "hang", times: Infinity });
    const gone = new AbortController();
    const path = `/subscriptions/${standIn().account.subscription}`;
    const first = arm.call("GetSubscription", { path }, { ...call(), signal: gone.signal });
    await hang.reached;
    gone.abort(new DOMException("the caller is gone", "AbortError"));
    await expect(first).rejects.toThrow("the caller is gone");
    const second = arm.call("GetSubscription", { path }, call());
    arm[Symbol.dispose]();
    arm[Symbol.dispose]();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
  });

  it("leads through the proxy that is configured, for tokens too", async () => {
    const asked: string[] = [];
    const proxy = createServer().on("connect", (request, socket: Duplex) => {
      asked.push(request.url ?? "");
      const through = connect(Number(new URL(standIn().endpoint).port), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        through.pipe(socket).pipe(through);
      });
      through.on("error", () => socket.destroy());
      socket.on("error", () => through.destroy());
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const { port } = proxy.address() as AddressInfo;
    const arm = await connected({ AZURE_HTTP_PROXY: `http://127.0.0.1:${port}` });
    await arm.call("GetSubscription", { path: `/subscriptions/${standIn().account.subscription}` }, call());
    arm[Symbol.dispose]();
    proxy.close();
    proxy.closeAllConnections();
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(new Set(asked)).toEqual(new Set([new URL(standIn().endpoint).host]));
  });

  it.each([
    ["no file", { AZURE_CA_BUNDLE: "/nonexistent" }],
    ["no certificate", { AZURE_CA_BUNDLE: "/dev/null" }],
  ])("is not begun with %s of authorities", async (_what, env) => {
    await expect(connected(env)).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining("azure-ca-bundle") as string,
    });
  });
});
