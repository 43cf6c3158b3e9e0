import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { LinuxResourcesSchema, ProcessSchema, SpecSchema } from "@peerpods/kata-protocols/oci";
import { describe, expect, test } from "vitest";
import { runtimeConfig, type ConfigDecisions } from "./config.ts";
import { stringifyExact } from "./json.ts";
import { oomScoreRule, runtimeProcess } from "./process.ts";
import { runtimeResources, updatedResources } from "./resources.ts";

const asWanted = (wanted: number) => wanted;
const decisions: ConfigDecisions = {
  cgroupsPath: "/pods/x",
  namespaces: new Map([
    ["ipc", "/ns/ipc"],
    ["uts", "/ns/uts"],
    ["mount", ""],
    ["pid", ""],
    ["network", "/run/netns/podns"],
  ]),
  gate: { path: "/bin/sh" },
  oomScoreAdj: asWanted,
};

function config(spec: MessageInitShape<typeof SpecSchema>) {
  return runtimeConfig(create(SpecSchema, spec), decisions) as Record<string, Record<string, unknown>>;
}

const minimal = { Process: { Args: ["/pause"] }, Root: { Path: "/root" }, Linux: {} };

describe("config.json", () => {
  test("of the least that makes a container", () => {
    expect(config(minimal)).toEqual({
      ociVersion: "1.0.2",
      process: { terminal: false, user: { uid: 0, gid: 0 }, args: ["/pause"], cwd: "/", oomScoreAdj: 0 },
      root: { path: "/root", readonly: false },
      mounts: [],
      hooks: { createRuntime: [{ path: "/bin/sh" }] },
      linux: {
        cgroupsPath: "/pods/x",
        resources: { devices: expect.any(Array) as unknown },
        namespaces: [
          { type: "ipc", path: "/ns/ipc" },
          { type: "uts", path: "/ns/uts" },
          { type: "mount" },
          { type: "pid" },
          { type: "network", path: "/run/netns/podns" },
        ],
      },
    });
  });

  test("is of the version that it is written in, whatever the shim's is", () => {
    expect(config({ ...minimal, Version: "1.3.0" })["ociVersion"]).toBe("1.0.2");
  });

  test("bind mounts of the shim's own types become bind mounts", () => {
    const Mounts = [
      { destination: "/ed", source: "/src", type: "local", options: ["rbind", "rw"] },
      { destination: "/proc", source: "proc", type: "proc", options: ["nosuid"] },
    ];
    expect(config({ ...minimal, Mounts })["mounts"]).toEqual([
      { destination: "/ed", source: "/src", type: "bind", options: ["rbind", "rw"] },
      { destination: "/proc", source: "proc", type: "proc", options: ["nosuid"] },
    ]);
  });

  test("hooks of the request run before the agent's own", () => {
    const Hooks = { CreateRuntime: [{ Path: "/hook", Args: ["hook", "a"], Timeout: 5n }] };
    expect(config({ ...minimal, Hooks })["hooks"]).toEqual({
      createRuntime: [{ path: "/hook", args: ["hook", "a"], timeout: 5n }, { path: "/bin/sh" }],
    });
  });

  test("the host name is left to the pod's namespace", () => {
    expect(config({ ...minimal, Hostname: "busy" })).not.toHaveProperty("hostname");
  });

  test("seccomp, with errno 0 told apart from none", () => {
    const Seccomp = {
      DefaultAction: "SCMP_ACT_ERRNO",
      Architectures: ["SCMP_ARCH_X86_64"],
      Syscalls: [
        {
          Names: ["read"],
          Action: "SCMP_ACT_ALLOW",
          Args: [{ Index: 0n, Value: 2n ** 63n, Op: "SCMP_CMP_EQ" }],
        },
        { Names: ["x"], Action: "SCMP_ACT_ERRNO", ErrnoRet: { case: "errnoret" as const, value: 0 } },
      ],
    };
    const seccomp = config({ ...minimal, Linux: { Seccomp } })["linux"]?.["seccomp"];
    expect(JSON.parse(stringifyExact({ seccomp }).replace("9223372036854775808", '"2^63"'))).toEqual({
      seccomp: {
        defaultAction: "SCMP_ACT_ERRNO",
        architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [
          {
            names: ["read"],
            action: "SCMP_ACT_ALLOW",
            args: [{ index: 0, value: "2^63", valueTwo: 0, op: "SCMP_CMP_EQ" }],
          },
          { names: ["x"], action: "SCMP_ACT_ERRNO", errnoRet: 0, args: [] },
        ],
      },
    });
  });

  test.each([
    ["no command", { ...minimal, Process: { Args: [] } }, "names no command"],
    ["no process", { ...minimal, Process: undefined }, "names no command"],
    ["no root", { ...minimal, Root: { Path: "" } }, "no root file system"],
    ["no Linux section", { ...minimal, Linux: undefined }, "no Linux section"],
  ])("%s is refused", (_, spec, message) => {
    const given = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
    expect(() => config(given)).toThrow(message);
  });
});

describe("a process", () => {
  test("limits use the whole range of 64 bits", () => {
    const process = create(ProcessSchema, {
      Args: ["a"],
      Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: 18446744073709551615n, Soft: 0n }],
    });
    expect(stringifyExact(runtimeProcess(process, asWanted))).toContain(
      '"rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":0}]',
    );
  });

  test.each([
    [-998, { score: 0, mayLower: false }, 0],
    [-998, { score: 0, mayLower: true }, -998],
    [900, { score: 0, mayLower: false }, 900],
    [-998, { score: -500, mayLower: false }, -500],
  ])("oom_score_adj %d with %j becomes %d", (wanted, own, expected) => {
    expect(oomScoreRule(own)(wanted)).toBe(expected);
  });
});

describe("resources", () => {
  test("what is zero was not given", () => {
    const resources = create(LinuxResourcesSchema, { CPU: { Shares: 2n }, Memory: {}, Pids: { Limit: 0n } });
    expect(updatedResources(resources)).toEqual({ cpu: { shares: 2n } });
  });

  test("without device rules a container gets the usual devices, with them what they say", () => {
    const { devices } = runtimeResources(undefined) as { devices: object[] };
    expect(devices[0]).toEqual({ allow: false, access: "rwm" });
    expect(devices).toContainEqual({ allow: true, type: "c", major: 1, minor: 3, access: "rwm" });
    const given = create(LinuxResourcesSchema, {
      Devices: [
        { Access: "rwm" },
        { Allow: true, Type: "c", Major: 5n, Minor: 0n, Access: "rw" },
        { Allow: true, Type: "b", Major: 8n, Minor: -1n, Access: "r" },
      ],
    });
    expect(runtimeResources(given)).toEqual({
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", access: "rw", major: 5n, minor: 0n },
        { allow: true, type: "b", access: "r", major: 8n },
      ],
    });
  });

  test("an update never carries device rules", () => {
    const resources = create(LinuxResourcesSchema, { Devices: [{ Access: "rwm" }], Memory: { Limit: 1n } });
    expect(updatedResources(resources)).toEqual({ memory: { limit: 1n } });
  });
});

describe("in a VM made without root", () => {
  const Linux = {
    Resources: {
      Memory: { Limit: 1024n },
      CPU: { Shares: 2n, Cpus: "0" },
      Pids: { Limit: 10n },
      BlockIO: { Weight: 10 },
      HugepageLimits: [{ Pagesize: "2MB", Limit: 1n }],
    },
  };
  const Mounts = [
    { destination: "/dev/pts", source: "devpts", type: "devpts", options: ["newinstance", "gid=5"] },
  ];
  const configWith = (changes: Partial<ConfigDecisions>) =>
    runtimeConfig(create(SpecSchema, { ...minimal, Linux, Mounts }), { ...decisions, ...changes }) as {
      linux: { resources: Record<string, unknown> };
      mounts: { options: string[] }[];
    };

  test("limits whose controllers are not there are left out", () => {
    const { linux } = configWith({ controllers: new Set(["memory", "cpuset"]) });
    expect(linux.resources).toEqual({
      memory: { limit: 1024n },
      cpu: { cpus: "0" },
      devices: expect.any(Array) as unknown,
    });
  });

  test("all limits stay where nothing says otherwise", () => {
    expect(Object.keys(configWith({}).linux.resources).toSorted()).toEqual([
      "blockIO",
      "cpu",
      "devices",
      "hugepageLimits",
      "memory",
      "pids",
    ]);
  });

  test("a file system is not given to a group that does not exist", () => {
    expect(configWith({ groupExists: (gid) => gid === 0 }).mounts[0]?.options).toEqual(["newinstance"]);
    expect(configWith({ groupExists: () => true }).mounts[0]?.options).toEqual(["newinstance", "gid=5"]);
  });
});
