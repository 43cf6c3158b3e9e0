import { dirname } from "node:path";
import { finding, type Check, type CheckContext } from "./check.ts";

const MIB = 1024 * 1024;
const MIN_FREE_MIB = 64;
const COMFORTABLE_FREE_MIB = 512;

export const disk: Check = {
  area: "disk",
  async run(context) {
    const { stateDir, podsDir, socketPath, controlSocketPath, relaySocketPath } = context.settings;
    const places = [
      { option: "state-dir", path: stateDir },
      { option: "pods-dir", path: podsDir },
      { option: "socket", path: dirname(socketPath) },
      { option: "control-socket", path: dirname(controlSocketPath) },
      { option: "relay-socket", path: dirname(relaySocketPath) },
    ];
    const writable = await Promise.all(places.map((place) => notWritable(context, place)));
    return [...writable.flat(), ...(await stateDirectory(context))];
  },
};

async function notWritable(
  { host }: CheckContext,
  { option, path }: { readonly option: string; readonly path: string },
) {
  const existing = await nearest(host, path);
  if (await host.canWrite(existing)) return [];
  return [
    finding("error", option, {
      message: `${existing} cannot be written`,
      remedy: `make it writable, or choose another ${option}`,
    }),
  ];
}

async function stateDirectory({ host, settings: { stateDir } }: CheckContext) {
  const { freeBytes, isMemory } = await host.fileSystem(await nearest(host, stateDir));
  const free = Math.floor(freeBytes / MIB);
  return [
    ...(free >= COMFORTABLE_FREE_MIB
      ? []
      : [
          finding(free < MIN_FREE_MIB ? "error" : "warning", "state-dir", {
            message: `${free} MiB are free below ${stateDir}; without space no sandbox can be written down`,
            remedy: "free some, or choose another state-dir",
          }),
        ]),
    ...(isMemory
      ? [
          finding("warning", "state-dir", {
            message: `${stateDir} is in memory; after a reboot nobody knows which instances exist`,
            remedy: "choose a state-dir on a disk",
          }),
        ]
      : []),
  ];
}

/** The path itself, or the closest parent that exists. */
async function nearest(host: CheckContext["host"], path: string): Promise<string> {
  let at = path;
  while (at !== "/" && !(await host.exists(at))) at = dirname(at);
  return at;
}
