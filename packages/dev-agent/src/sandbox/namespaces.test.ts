import { create } from "@bufbuild/protobuf";
import { LinuxNamespaceSchema } from "@peerpods/kata-protocols/oci";
import { describe, expect, test } from "vitest";
import { containerNamespaces } from "./namespaces.ts";

const shared = { ipc: "/ns/ipc", uts: "/ns/uts" };
const requested = [
  { Type: "ipc" },
  { Type: "uts" },
  { Type: "mount" },
  { Type: "network", Path: "/run/netns/podns" },
].map((namespace) => create(LinuxNamespaceSchema, namespace));

describe("namespaces of a container", () => {
  test("those of the pod, a process namespace of its own, and the network that the forwarder has added", () => {
    const namespaces = containerNamespaces(requested, { shared, sharesPid: false, pausePid: 7 });
    expect(Object.fromEntries(namespaces)).toEqual({
      ipc: "/ns/ipc",
      uts: "/ns/uts",
      mount: "",
      network: "/run/netns/podns",
      pid: "",
    });
  });

  test("the pause container's process namespace when the pod shares it", () => {
    const namespaces = containerNamespaces([], { shared, sharesPid: true, pausePid: 7 });
    expect(namespaces.get("pid")).toBe("/proc/7/ns/pid");
    expect(namespaces.get("mount")).toBe("");
  });

  test("which must be there", () => {
    expect(() => containerNamespaces([], { shared, sharesPid: true, pausePid: undefined })).toThrow(
      "pause container",
    );
  });
});
