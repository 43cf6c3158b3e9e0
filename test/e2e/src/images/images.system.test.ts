import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until, type RunningProcess } from "@peerpods/test-harness";
import { runcBinary } from "@peerpods/test-cluster";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingForImages, unpackImage, type UnpackedImage } from "./container.ts";

const missing = await missingForImages();
const repository = join(import.meta.dirname, "../../../..");

describe.skipIf(missing !== undefined)(`images${missing === undefined ? "" : ` (${missing})`}`, () => {
  let dir: string;
  const images = new Map<string, UnpackedImage>();

  beforeAll(async () => {
    await runcBinary();
    dir = await mkdtemp(join(tmpdir(), "peerpods-images-"));
    await execa(process.execPath, ["scripts/build-images.ts", join(dir, "oci")], {
      cwd: repository,
      env: { PROVIDERS: "aws" },
    });
    for (const name of ["cloud-api-adaptor", "peerpod-ctrl"])
      images.set(name, await unpackImage(join(dir, "oci", name), "0.1.0", join(dir, name)));
  }, 1_800_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const image = (name: string): UnpackedImage => {
    const found = images.get(name);
    if (found === undefined) throw new Error(`no image ${name}`);
    return found;
  };
  /** Ends it as the kubelet does; gives the exit code and how long it took. */
  async function stopped(container: RunningProcess): Promise<{ code: number | undefined; seconds: number }> {
    const began = performance.now();
    await container.stop({ graceMs: 30_000 });
    return { code: await container.ended, seconds: (performance.now() - began) / 1_000 };
  }

  it("say what is in them", async () => {
    const index = JSON.parse(await readFile(join(dir, "oci/cloud-api-adaptor/index.json"), "utf8")) as {
      manifests: [{ digest: string }];
    };
    const digest = index.manifests[0].digest.replace("sha256:", "");
    const manifest = await readFile(join(dir, "oci/cloud-api-adaptor/blobs/sha256", digest), "utf8");
    const { annotations } = JSON.parse(manifest) as { annotations: Record<string, string> };
    expect(annotations).toMatchObject({ "peerpods.node": process.version, "peerpods.providers": "aws" });
    expect(annotations["peerpods.debian"]).toMatch(/iproute2=\S+ .*libc6=\S+ .*nftables=/);
  });

  it("the controller's is not root, needs no writable root, is alive without an API server and stops in time", async () => {
    const { entrypoint, user, run } = image("peerpod-ctrl");
    expect(user).toEqual({ uid: 65_532, gid: 65_532 });
    const port = await freePort();
    await using container = await run("controller", {
      args: [
        ...entrypoint,
        "--namespace=default",
        `--health-probe-bind-address=127.0.0.1:${port}`,
        "--metrics-bind-address=",
        "--leader-elect",
        "--kubeconfig=/config/kubeconfig",
      ],
      mounts: { [await kubeconfigDirectory()]: "/config" },
    });
    await until("alive", async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok, {
      timeoutMs: 60_000,
    });
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503);
    const { code, seconds } = await stopped(container);
    expect({ code, log: code === 0 ? "" : await container.log() }).toEqual({ code: 0, log: "" });
    expect(seconds).toBeLessThan(25);
  }, 120_000);

  it("the daemon's has every program that doctor asks for", async () => {
    await using container = await image("cloud-api-adaptor").run("doctor", {
      args: ["peerpods", "doctor", "aws", "--json"],
      env: { AWS_REGION: "eu-central-1", PODVM_AMI_ID: "ami-0123456789abcdef0" },
      capabilities: ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"],
    });
    await container.ended;
    const { areas } = JSON.parse(await container.log()) as { areas: { area: string; findings: unknown[] }[] };
    const about = (name: string) => areas.find(({ area }) => area === name)?.findings;
    expect([about("programs"), about("kernel")]).toEqual([[], []]);
  }, 120_000);

  it("daemon and relay run side by side as in their DaemonSets, and the relay outlives the daemon", async () => {
    const { entrypoint, run } = image("cloud-api-adaptor");
    const [shared, state] = [join(dir, "run"), join(dir, "state")];
    await mkdir(shared, { mode: 0o700 });
    await mkdir(state, { mode: 0o700 });
    const probe = await freePort();
    await using relay = await run("relay", {
      args: ["agent-relay", "--socket=/run/peerpod/relay.sock", "--idle-timeout=0"],
      mounts: { [shared]: "/run/peerpod" },
    });
    const startDaemon = async (name: string) => {
      const daemon = await run(name, {
        args: [...entrypoint, "aws"],
        env: {
          PEERPODS_RELAY_LAUNCH: "false",
          PROBE_PORT: String(probe),
          AWS_REGION: "eu-central-1",
          AWS_ACCESS_KEY_ID: "none",
          AWS_SECRET_ACCESS_KEY: "none",
          PODVM_AMI_ID: "ami-0123456789abcdef0",
          ROOT_VOLUME_SIZE: "0",
        },
        mounts: { [shared]: "/run/peerpod", [state]: "/var/lib/peerpods" },
        capabilities: ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"],
      });
      await until("daemon ready", async () => (await fetch(`http://127.0.0.1:${probe}/startup`)).ok, {
        timeoutMs: 60_000,
      }).catch(async (cause: unknown) => {
        throw new Error(await daemon.log(), { cause });
      });
      return daemon;
    };
    await using first = await startDaemon("daemon");
    expect((await stopped(first)).code).toBe(0);
    await using second = await startDaemon("daemon-again");
    expect(await second.log()).toContain("found the agent relay");
    const { code, seconds } = await stopped(second);
    expect(code).toBe(0);
    expect(seconds).toBeLessThan(25);
    expect((await stopped(relay)).code).toBe(0);
  }, 240_000);

  /** A cluster that never answers. */
  async function kubeconfigDirectory(): Promise<string> {
    const directory = await mkdtemp(join(dir, "config-"));
    await chmod(directory, 0o755);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${await freePort()}` } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    };
    await writeFile(join(directory, "kubeconfig"), JSON.stringify(config), { mode: 0o644 });
    return directory;
  }
});
