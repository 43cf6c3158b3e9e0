import {
  create,
  fromBinary,
  ScalarType,
  toBinary,
  type DescField,
  type DescMessage,
} from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as agent from "./gen/agent_pb.ts";
import * as csi from "./gen/csi_pb.ts";
import * as health from "./gen/health_pb.ts";
import * as hypervisor from "./gen/hypervisor_pb.ts";
import * as imagePull from "./gen/image_pull_pb.ts";
import * as oci from "./gen/oci_pb.ts";
import * as podvminfo from "./gen/podvminfo_pb.ts";
import * as secureMount from "./gen/secure_mount_pb.ts";
import * as types from "./gen/types_pb.ts";

describe("services", () => {
  test.each([
    [hypervisor.Hypervisor, "hypervisor.Hypervisor", 4],
    [podvminfo.PodVMInfo, "podvminfo.PodVMInfo", 1],
    [agent.AgentService, "grpc.AgentService", 42],
    [health.Health, "grpc.Health", 2],
    [imagePull.ImagePullService, "api.ImagePullService", 1],
    [secureMount.SecureMountService, "api.SecureMountService", 1],
  ])("%o", (service, name, methods) => {
    expect(service.typeName).toBe(name);
    expect(service.methods).toHaveLength(methods);
    expect(service.methods.every((method) => method.methodKind === "unary")).toBe(true);
  });

  test.each([
    ["getMetrics", "grpc.GetMetricsRequest", "grpc.Metrics"],
    ["getOOMEvent", "grpc.GetOOMEventRequest", "grpc.OOMEvent"],
    ["getVolumeStats", "grpc.VolumeStatsRequest", "grpc.VolumeStatsResponse"],
    ["getGuestDetails", "grpc.GuestDetailsRequest", "grpc.GuestDetailsResponse"],
    ["updateInterface", "grpc.UpdateInterfaceRequest", "types.Interface"],
    ["updateRoutes", "grpc.UpdateRoutesRequest", "grpc.Routes"],
    ["writeStdin", "grpc.WriteStreamRequest", "grpc.WriteStreamResponse"],
    ["memAgentMemcgSet", "grpc.MemAgentMemcgConfig", "google.protobuf.Empty"],
    ["createContainer", "grpc.CreateContainerRequest", "google.protobuf.Empty"],
  ] as const)("%s", (method, input, output) => {
    expect(agent.AgentService.method[method].input.typeName).toBe(input);
    expect(agent.AgentService.method[method].output.typeName).toBe(output);
  });
});

describe("fields: numbers, types and names", () => {
  const table: readonly [DescMessage, string][] = [
    [
      hypervisor.CreateVMRequestSchema,
      "1 string id; 2 map<string,string> annotations; 3 string networkNamespacePath",
    ],
    [hypervisor.CreateVMResponseSchema, "1 string agentSocketPath"],
    [podvminfo.GetInfoRequestSchema, "1 string PodName; 2 string PodNamespace; 3 bool Wait"],
    [podvminfo.GetInfoResponseSchema, "1 string VMID"],
    [
      agent.CreateContainerRequestSchema,
      "1 string container_id; 2 string exec_id; 3 grpc.StringUser string_user; 4 repeated grpc.Device devices; 5 repeated grpc.Storage storages; 6 grpc.Spec OCI; 7 bool sandbox_pidns; 8 repeated grpc.SharedMount shared_mounts; 9 uint32 stdin_port; 10 uint32 stdout_port; 11 uint32 stderr_port",
    ],
    [agent.SignalProcessRequestSchema, "1 string container_id; 2 string exec_id; 3 uint32 signal"],
    [agent.WaitProcessResponseSchema, "1 int32 status"],
    [
      agent.CopyFileRequestSchema,
      "1 string path; 2 int64 file_size; 3 uint32 file_mode; 4 uint32 dir_mode; 5 int32 uid; 6 int32 gid; 7 int64 offset; 8 bytes data",
    ],
    [
      agent.StorageSchema,
      "1 string driver; 2 repeated string driver_options; 3 string source; 4 string fstype; 5 repeated string options; 6 string mount_point; 7 grpc.FSGroup fs_group; 8 bool shared",
    ],
    [agent.FSGroupSchema, "2 uint32 group_id; 3 enum types.FSGroupChangePolicy group_change_policy"],
    [agent.ReseedRandomDevRequestSchema, "2 bytes data"],
    [agent.AddSwapRequestSchema, "1 repeated uint32 PCIPath"],
    [agent.SetGuestDateTimeRequestSchema, "1 int64 Sec; 2 int64 Usec"],
    [agent.MemHotplugByProbeRequestSchema, "1 repeated uint64 memHotplugProbeAddr"],
    [agent.InterfacesSchema, "1 repeated types.Interface Interfaces"],
    [
      agent.MemoryStatsSchema,
      "1 uint64 cache; 2 grpc.MemoryData usage; 3 grpc.MemoryData swap_usage; 4 grpc.MemoryData kernel_usage; 5 bool use_hierarchy; 6 map<string,uint64> stats",
    ],
    [
      agent.CgroupStatsSchema,
      "1 grpc.CpuStats cpu_stats; 2 grpc.MemoryStats memory_stats; 3 grpc.PidsStats pids_stats; 4 grpc.BlkioStats blkio_stats; 5 map<string,grpc.HugetlbStats> hugetlb_stats",
    ],
    [
      oci.SpecSchema,
      "1 string Version; 2 grpc.Process Process; 3 grpc.Root Root; 4 string Hostname; 5 repeated grpc.Mount Mounts; 6 grpc.Hooks Hooks; 7 map<string,string> Annotations; 8 grpc.Linux Linux; 9 grpc.Solaris Solaris; 10 grpc.Windows Windows",
    ],
    [
      oci.LinuxMemorySchema,
      "1 int64 Limit; 2 int64 Reservation; 3 int64 Swap; 4 int64 Kernel; 5 int64 KernelTCP; 6 uint64 Swappiness; 7 bool DisableOOMKiller",
    ],
    [
      oci.LinuxSyscallSchema,
      "1 repeated string Names; 2 string Action; 4 repeated grpc.LinuxSeccompArg Args; 3 uint32 errnoret",
    ],
    [oci.MountSchema, "1 string destination; 2 string source; 3 string type; 4 repeated string options"],
    [
      types.RouteSchema,
      "1 string dest; 2 string gateway; 3 string device; 4 string source; 5 uint32 scope; 6 enum types.IPFamily family; 7 uint32 flags; 8 uint32 mtu",
    ],
    [
      csi.VolumeUsageSchema,
      "1 uint64 available; 2 uint64 total; 3 uint64 used; 4 enum grpc.VolumeUsage.Unit unit",
    ],
    [imagePull.ImagePullRequestSchema, "1 string image_url; 2 string bundle_path"],
  ];

  test.each(table.map(([schema, fields]) => [schema.typeName, schema, fields] as const))(
    "%s",
    (_, schema, fields) => {
      const found = schema.fields.map((field) => `${field.number} ${describeType(field)} ${field.name}`);
      expect(found.sort()).toEqual(fields.split("; ").sort());
    },
  );

  test("the memory agent's settings have presence", () => {
    const empty = create(agent.MemAgentMemcgConfigSchema);
    const off = create(agent.MemAgentMemcgConfigSchema, { disabled: false });
    expect(toBinary(agent.MemAgentMemcgConfigSchema, empty)).toHaveLength(0);
    expect(Buffer.from(toBinary(agent.MemAgentMemcgConfigSchema, off)).toString("hex")).toBe("0800");
  });
});

describe("bytes", () => {
  test.each([
    ["StopVM of sb1", hypervisor.StopVMRequestSchema, { id: "sb1" }, "0a03736231"],
    ["a serving Check reply", health.HealthCheckResponseSchema, { status: 1 }, "0801"],
    ["random data is field 2", agent.ReseedRandomDevRequestSchema, { data: Uint8Array.of(1) }, "120101"],
    [
      "errno 0 of a syscall is sent",
      oci.LinuxSyscallSchema,
      { ErrnoRet: { case: "errnoret", value: 0 } },
      "1800",
    ],
    [
      "exit status -1 takes ten bytes",
      agent.WaitProcessResponseSchema,
      { status: -1 },
      "08ffffffffffffffffff01",
    ],
    [
      "uint64 keeps its full range",
      agent.MemoryDataSchema,
      { limit: 18446744073709551615n },
      "20ffffffffffffffffff01",
    ],
    ["repeated numbers are packed", agent.AddSwapRequestSchema, { PCIPath: [1, 300] }, "0a0301ac02"],
  ] as readonly [string, DescMessage, Record<string, unknown>, string][])("%s", (_, schema, init, hex) => {
    const bytes = toBinary(schema, create(schema, init));
    expect(Buffer.from(bytes).toString("hex")).toBe(hex);
    expect(fromBinary(schema, bytes)).toMatchObject(init);
  });

  test("unpacked repeated numbers are accepted", () => {
    expect(fromBinary(agent.AddSwapRequestSchema, Buffer.from("08010802", "hex")).PCIPath).toEqual([1, 2]);
  });

  test("fields of a later version survive", () => {
    const bytes = Buffer.from("0a03736231a2060178", "hex");
    const request = fromBinary(hypervisor.StartVMRequestSchema, bytes);
    expect(Buffer.from(toBinary(hypervisor.StartVMRequestSchema, request))).toEqual(bytes);
  });
});

/** The type of a field as the tables write it. */
function describeType(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return ScalarType[field.scalar].toLowerCase();
    case "enum":
      return `enum ${field.enum.typeName}`;
    case "message":
      return field.message.typeName;
    case "list":
      return `repeated ${field.listKind === "message" ? field.message.typeName : field.listKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : field.enum.typeName}`;
    case "map":
      return `map<${ScalarType[field.mapKey].toLowerCase()},${field.mapKind === "message" ? field.message.typeName : field.mapKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : field.enum.typeName}>`;
    default:
      return field satisfies never;
  }
}
