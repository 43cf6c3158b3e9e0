/** What a real kata-agent finds in a pod VM: its configuration, and the bundle of the pause container. */
import { file, type LayerRecipe } from "./layer.ts";

/** Where the agent looks for the pause container's bundle. */
const PAUSE_BUNDLE = "/pause_bundle";

/** Reaps, for pods whose containers share a process namespace. The agent sends it signal 9, so it handles none. */
const pauseLoop = "while :; do /busybox sleep 2147483647 & wait $!; done";

/** The agent copies the first argument's file and nothing else, so that must be a static program. */
const pauseSpec = {
  ociVersion: "1.0.2",
  process: {
    user: { uid: 0, gid: 0 },
    args: ["/busybox", "sh", "-c", pauseLoop],
    env: ["PATH=/"],
    cwd: "/",
    noNewPrivileges: true,
  },
  root: { path: "rootfs", readonly: true },
  hostname: "pause",
};

export const kataAgentTexts: LayerRecipe["texts"] = {
  "/etc/agent-config.toml": file(
    'server_addr = "unix:///run/kata-containers/agent.sock"',
    'guest_components_procs = "none"',
    'log_level = "info"',
  ),
  [`${PAUSE_BUNDLE}/config.json`]: file(JSON.stringify(pauseSpec)),
};

/** Where the static busybox goes for it. */
export const pauseProgram = `${PAUSE_BUNDLE}/rootfs${pauseSpec.process.args[0]}`;
