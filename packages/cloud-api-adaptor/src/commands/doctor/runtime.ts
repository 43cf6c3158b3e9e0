import type { Finding } from "@peerpods/cloud-providers";
import { parse } from "smol-toml";
import { finding, type Check, type CheckContext } from "./check.ts";

/** Handler of the RuntimeClass that makes a pod a peer pod. */
const HANDLER = "kata-remote";
const KATA_INSTALLED = "/opt/kata/share/defaults/kata-containers/configuration-remote.toml";
/** Where containerd looks for `containerd-shim-<name>-v2`, and where kata-deploy puts it. */
const shimPlaces = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/kata/bin"];

/** What Kubernetes pods need on the node besides the daemon; `peerpods run` and `try` do without. */
export const runtime: Check = {
  area: "containerd and kata",
  async run(context) {
    const { ok, missing, stdout, stderr } = await context.host.run("containerd", ["config", "dump"], context);
    if (missing)
      return [
        finding("info", "containerd", {
          message: "there is none here, so no pods of Kubernetes can be",
          remedy: "on a worker node, run doctor where containerd is",
        }),
      ];
    if (!ok) return [warning("containerd", `its configuration cannot be read: ${stderr}`, "see the message")];
    const handler = handlerOf(parse(stdout));
    if (handler === undefined)
      return [
        warning(
          `runtime ${HANDLER}`,
          "containerd has no runtime of this name, so no pod with the RuntimeClass can start",
          "install kata-containers with its remote hypervisor, for example by kata-deploy; see docs/operating.md",
        ),
      ];
    return [
      ...(await shim(handler, context)),
      ...unpacked(stdout),
      ...(await kataSettings(handler, context)),
    ];
  },
};

type Table = Readonly<Record<string, unknown>>;

/** The runtime's table in the configuration of containerd 1 or 2. */
function handlerOf(config: Table): Table | undefined {
  const plugins = table(config["plugins"]);
  for (const plugin of ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]) {
    const found = table(table(table(table(plugins[plugin])["containerd"])["runtimes"])[HANDLER]);
    if (Object.keys(found).length > 0) return found;
  }
  return undefined;
}

/** `io.containerd.kata-remote.v2` is the program `containerd-shim-kata-remote-v2`. */
async function shim(handler: Table, { host }: CheckContext): Promise<readonly Finding[]> {
  const type = text(handler["runtime_type"]);
  const [, name, version] = /^io\.containerd\.(.+)\.(v\d)$/.exec(type) ?? [];
  const given = text(handler["runtime_path"]);
  const paths =
    given === "" ? shimPlaces.map((place) => `${place}/containerd-shim-${name}-${version}`) : [given];
  for (const path of paths) if (await host.exists(path)) return [];
  return [
    warning(
      "kata shim",
      `containerd's runtime_type is ${JSON.stringify(type)}, and there is no ${paths.at(-1) ?? "shim"}`,
      "install the kata shim, or link it to /usr/local/bin",
    ),
  ];
}

/** Layers that are thrown away after unpacking are missing when the guest is to pull the image itself. */
function unpacked(dump: string): readonly Finding[] {
  if (!/^\s*discard_unpacked_layers = true/m.test(dump)) return [];
  return [
    warning(
      "discard_unpacked_layers",
      "containerd discards unpacked layers, and images that are pulled in the VM then fail on the node",
      "set discard_unpacked_layers = false in containerd's configuration and restart it",
    ),
  ];
}

/** kata's own file: it must call the daemon's socket, and leave the network to it. */
async function kataSettings(handler: Table, { host, settings }: CheckContext): Promise<readonly Finding[]> {
  const given = text(table(handler["options"])["ConfigPath"]);
  const path = given === "" ? KATA_INSTALLED : given;
  const content = await host.read(path);
  if (content === undefined)
    return [
      warning(
        "kata configuration",
        `there is no ${path}`,
        "set ConfigPath in the options of containerd's runtime",
      ),
    ];
  const config = parse(content);
  const remote = table(table(config["hypervisor"])["remote"]);
  const general = table(config["runtime"]);
  const wanted: readonly (readonly [string, unknown, unknown])[] = [
    ["hypervisor.remote.remote_hypervisor_socket", remote["remote_hypervisor_socket"], settings.socketPath],
    ["runtime.internetworking_model", general["internetworking_model"], "none"],
    ["runtime.disable_new_netns", general["disable_new_netns"], true],
  ];
  return wanted.flatMap(([name, found, value]) =>
    found === value
      ? []
      : [
          warning(
            name,
            `${path} has ${JSON.stringify(found ?? "nothing")} where ${JSON.stringify(value)} is needed`,
            `set it to ${JSON.stringify(value)}`,
          ),
        ],
  );
}

function warning(subject: string, message: string, remedy: string): Finding {
  return finding("warning", subject, { message, remedy });
}

function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
