import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DEFAULT_FORWARDER_PORT } from "@peerpods/podvm-contract";
import { startProcess, until } from "@peerpods/test-harness";
import { accepts } from "../stand/accepts.ts";
import { bundle } from "../stand/programs.ts";
import { CLOUD_SOCKET_FLAG } from "./api.ts";
import { createCloudNetwork } from "./network.ts";

/** A cloud whose VMs exist at once, and what a daemon is started with to use it. */
export interface Cloud extends AsyncDisposable {
  /** First word of the daemon's command line. */
  readonly providerName: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** VMs that exist now. */
  instances(): Promise<number>;
}

/** Starts the cloud's process and bundles its provider as a plug-in file. */
export async function startCloud(directory: string): Promise<Cloud> {
  const programs = await bundle(join(directory, "cloud"), {
    folder: "test/bench/src/cloud",
    files: ["bench.ts", "main.ts"],
  });
  const plugin = join(programs, "bench.mjs");
  const socketPath = join(directory, "cloud.sock");
  await using resources = new AsyncDisposableStack();
  const { netns, prefix } = resources.use(await createCloudNetwork());
  const command = [
    process.execPath,
    join(programs, "main.mjs"),
    socketPath,
    prefix,
    String(DEFAULT_FORWARDER_PORT),
  ];
  const logFile = join(directory, "cloud.log");
  resources.use(await startProcess("ip", ["netns", "exec", netns, ...command], { logFile }));
  await until("the bench's cloud listens", () => accepts({ path: socketPath }), { everyMs: 10 });
  const owned = resources.move();
  return {
    providerName: "bench",
    flags: [`-${CLOUD_SOCKET_FLAG}=${socketPath}`],
    env: {
      ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN: "true",
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH: plugin,
      CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH: createHash("sha256")
        .update(await readFile(plugin))
        .digest("hex"),
    },
    instances: async () => Number(await fetchText(socketPath)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function fetchText(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: "/", agent: false }, (answer) => resolve(text(answer))).on("error", reject);
  });
}
