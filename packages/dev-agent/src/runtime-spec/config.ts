import type { Hook, Linux, LinuxIDMapping, LinuxSeccomp, Mount, Spec } from "@peerpods/kata-protocols/oci";
import { invalidArgument } from "../errors.ts";
import type { GroupExists } from "../host/mapped-groups.ts";
import { omitEmpty } from "./omit-empty.ts";
import { runtimeProcess, type OomScoreRule } from "./process.ts";
import { runtimeResources } from "./resources.ts";
import type { Controllers } from "./resources.ts";

/** What the agent decides about a container, beside what the request says. */
export interface ConfigDecisions {
  /** Path in the cgroup file system. */
  readonly cgroupsPath: string;
  /** Namespaces to join, by type; an empty path makes a new one. */
  readonly namespaces: ReadonlyMap<string, string>;
  /** Hook that runs last before the container's root is entered. */
  readonly gate: object;
  readonly oomScoreAdj: OomScoreRule;
  readonly controllers?: Controllers;
  /** Groups that file systems may be given to; absent: all. */
  readonly groupExists?: GroupExists;
}

/** Version of the OCI runtime specification whose form is written. */
const WRITTEN_VERSION = "1.0.2";

/**
 * The runtime's config.json for a container, from the specification in the agent's wire form.
 * Source: OCI runtime specification {@link WRITTEN_VERSION}.
 * @throws ConnectError INVALID_ARGUMENT when command, root or the Linux section is missing.
 */
export function runtimeConfig(spec: Spec, decisions: ConfigDecisions): object {
  const { Root: root, Linux: linux } = spec;
  if (root === undefined || root.Path === "") throw invalidArgument("the request has no root file system");
  if (linux === undefined) throw invalidArgument("the request has no Linux section");
  return {
    // What is written here, not what came in: containerd 2 says 1.3.0, which crun 1.8 refuses.
    ociVersion: WRITTEN_VERSION,
    process: runtimeProcess(spec.Process, decisions.oomScoreAdj),
    root: { path: root.Path, readonly: root.Readonly },
    mounts: spec.Mounts.map((mount) => runtimeMount(mount, decisions.groupExists)),
    hooks: hooks(spec, decisions.gate),
    ...omitEmpty({ annotations: spec.Annotations }),
    // The host name belongs to the sandbox's UTS namespace; without one the container's own would be the VM's.
    ...(decisions.namespaces.get("uts") === "" ? omitEmpty({ hostname: spec.Hostname }) : {}),
    linux: linuxSection(linux, decisions),
  };
}

function linuxSection(linux: Linux, { cgroupsPath, namespaces, controllers }: ConfigDecisions): object {
  return {
    cgroupsPath,
    resources: runtimeResources(linux.Resources, controllers),
    namespaces: [...namespaces].map(([type, path]) => (path === "" ? { type } : { type, path })),
    ...omitEmpty({
      uidMappings: linux.UIDMappings.map(idMapping),
      gidMappings: linux.GIDMappings.map(idMapping),
      sysctl: linux.Sysctl,
      devices: linux.Devices.map(({ Path, Type, Major, Minor, FileMode, UID, GID }) => ({
        path: Path,
        type: Type,
        major: Major,
        minor: Minor,
        fileMode: FileMode,
        uid: UID,
        gid: GID,
      })),
      seccomp: seccomp(linux.Seccomp),
      rootfsPropagation: linux.RootfsPropagation,
      maskedPaths: linux.MaskedPaths,
      readonlyPaths: linux.ReadonlyPaths,
    }),
  };
}

/** Bind mounts arrive with types of the agent's own (`local`); the runtime knows only `bind`. */
function runtimeMount(
  { destination, source, type, options }: Mount,
  groupExists: GroupExists = () => true,
): object {
  const isBind = options.includes("bind") || options.includes("rbind");
  // Terminals usually belong to group 5, which the kernel refuses where that does not exist.
  const possible = options.filter(
    (option) => !option.startsWith("gid=") || groupExists(Number(option.slice(4))),
  );
  return { destination, source, type: isBind ? "bind" : type, ...omitEmpty({ options: possible }) };
}

function hooks(spec: Spec, gate: object): object {
  const given = spec.Hooks;
  const lists = {
    prestart: given?.Prestart.map(hook),
    createContainer: given?.CreateContainer.map(hook),
    startContainer: given?.StartContainer.map(hook),
    poststart: given?.Poststart.map(hook),
    poststop: given?.Poststop.map(hook),
  };
  return { ...omitEmpty(lists), createRuntime: [...(given?.CreateRuntime.map(hook) ?? []), gate] };
}

function hook({ Path, Args, Env, Timeout }: Hook): object {
  return { path: Path, ...omitEmpty({ args: Args, env: Env, timeout: Timeout }) };
}

function idMapping({ HostID, ContainerID, Size }: LinuxIDMapping): object {
  return { hostID: HostID, containerID: ContainerID, size: Size };
}

function seccomp(filter: LinuxSeccomp | undefined): object | undefined {
  if (filter === undefined) return undefined;
  return {
    defaultAction: filter.DefaultAction,
    ...omitEmpty({ architectures: filter.Architectures, flags: filter.Flags }),
    syscalls: filter.Syscalls.map((call) => ({
      names: call.Names,
      action: call.Action,
      ...(call.ErrnoRet.case === "errnoret" ? { errnoRet: call.ErrnoRet.value } : {}),
      args: call.Args.map(({ Index, Value, ValueTwo, Op }) => ({
        index: Index,
        value: Value,
        valueTwo: ValueTwo,
        op: Op,
      })),
    })),
  };
}
