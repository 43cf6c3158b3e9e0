import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { leftNetworks, sweepNetworks } from "./left-networks.ts";
import { createPodNetwork } from "./pod-network.ts";

const wait = (): AbortSignal => AbortSignal.timeout(20_000);

/** What of ours is on the machine under this name. */
async function traces(name: string): Promise<readonly string[]> {
  const [links, namespaces] = await Promise.all([
    execa("ip", ["-o", "link", "show"]),
    execa("ip", ["netns", "list"]),
  ]);
  return `${links.stdout}\n${namespaces.stdout}`.split("\n").filter((line) => line.includes(name));
}

/** Connects from within the namespace to a port of this machine's side. */
async function reach(gateway: string, namespace: string): Promise<void> {
  const server = createServer((socket) => socket.end("here"));
  server.listen({ host: gateway, port: 0 });
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const program = `require("net").connect(${port}, "${gateway}").pipe(process.stdout)`;
    const { stdout } = await execa("ip", ["netns", "exec", namespace, process.execPath, "-e", program]);
    expect(stdout).toBe("here");
  } finally {
    server.close();
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

describe("the pod network that run makes", () => {
  it("is what a CNI leaves: one address, a default route, a gateway that answers; and it leaves nothing", async () => {
    const network = await createPodNetwork(undefined, wait());
    const name = nameOf(network.path);
    try {
      const { stdout } = await execa("ip", ["-json", "-n", name, "-4", "address", "show", "dev", "eth0"]);
      const [{ addr_info: addresses }] = JSON.parse(stdout) as [{ addr_info: { local: string }[] }];
      expect(addresses.map(({ local }) => local)).toEqual([network.address]);
      const route = await execa("ip", ["-json", "-n", name, "route", "show", "default"]);
      const [{ gateway }] = JSON.parse(route.stdout) as [{ gateway: string }];
      await reach(gateway, name);
    } finally {
      await network[Symbol.asyncDispose]();
    }
    expect(await traces(name)).toEqual([]);
    await network[Symbol.asyncDispose]();
  });

  it("can be made several times side by side", async () => {
    await using resources = new AsyncDisposableStack();
    const networks = await Promise.all([1, 2, 3].map(() => createPodNetwork(undefined, wait())));
    for (const network of networks) resources.use(network);
    expect(new Set(networks.map(({ address }) => address)).size).toBe(3);
  });

  it("is not made when the caller has left, and leaves nothing", async () => {
    const before = await traces("pprun-");
    await expect(createPodNetwork(undefined, AbortSignal.abort(new Error("left")))).rejects.toMatchObject({
      name: "CommandError",
      remedy: expect.stringContaining("--netns"),
    });
    // The kernel may still be taking down the network of the test before this one.
    expect((await traces("pprun-")).filter((trace) => !before.includes(trace))).toEqual([]);
  });

  it("is found and removed by the next run when its own was killed; that of a living run stays", async () => {
    const module = JSON.stringify(new URL("pod-network.ts", import.meta.url).href);
    const program = `
      import { createPodNetwork } from ${module};
      const { path } = await createPodNetwork(undefined, AbortSignal.timeout(20_000));
      console.log(path);
      setInterval(() => undefined, 1_000);`;
    const run = execa(
      process.execPath,
      ["--conditions=@peerpods/source", "--input-type=module", "--eval", program],
      { reject: false, buffer: false },
    );
    await using living = await createPodNetwork(undefined, wait());
    const [path] = (await once(createInterface(run.stdout), "line", { signal: wait() })) as [string];
    expect(await leftNetworks()).not.toContain(nameOf(path));
    run.kill("SIGKILL");
    await run;
    expect(await leftNetworks()).toContain(nameOf(path));
    expect(await sweepNetworks()).toContain(nameOf(path));
    await expect.poll(() => traces(nameOf(path)), { timeout: 20_000 }).toEqual([]);
    expect(await traces(nameOf(living.path))).not.toEqual([]);
  });

  it("a given one is used as it is and not removed", async () => {
    const network = await createPodNetwork("/run/netns/given", wait());
    expect(network).toMatchObject({ path: "/run/netns/given", address: undefined });
    await network[Symbol.asyncDispose]();
  });
});
