import { isProviderError, loadOptions } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { parseLibvirtConfig } from "./config.ts";
import { libvirtOptions } from "./options.ts";

function load(env: Readonly<Record<string, string>> = {}, argv: readonly string[] = []) {
  const loaded = loadOptions(libvirtOptions, { argv, env });
  if ("help" in loaded) throw new Error("no help was asked for");
  return loaded.values;
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    return isProviderError(error) ? error.code : String(error);
  }
}

describe("options of libvirt", () => {
  it("have the reference's defaults", () => {
    expect(parseLibvirtConfig(load())).toEqual({
      uri: "qemu+ssh://root@192.168.122.1/system?no_verify=1",
      pool: "default",
      network: "default",
      baseVolume: "podvm-base.qcow2",
      launchSecurity: "none",
      firmware: "/usr/share/OVMF/OVMF_CODE_4M.fd",
      vcpus: 2,
      memoryMiB: 8192,
      cpuset: "",
      rootDiskGiB: 10n,
      domainType: "kvm",
      diskBus: "sata",
      addressSource: "lease",
      addressTimeoutMs: 180_000,
    });
  });

  it("take the flag over the environment, and 0 GiB as 10", () => {
    const config = parseLibvirtConfig(
      load({ LIBVIRT_POOL: "env", LIBVIRT_ROOT_DISK_SIZE: "0" }, ["-pool-name=flag"]),
    );
    expect([config.pool, config.rootDiskGiB]).toEqual(["flag", 10n]);
  });

  it.each(["", "0", "0,2,4-7,10", "3-5"])("take the CPU set %j", (cpuset) => {
    expect(codeOf(() => parseLibvirtConfig(load({ LIBVIRT_CPUSET: cpuset })))).toBe("ok");
  });

  it.each([
    ["a range without end", { LIBVIRT_CPUSET: "0-" }],
    ["a range without start", { LIBVIRT_CPUSET: "-3" }],
    ["a comma at the end of a CPU set", { LIBVIRT_CPUSET: "0,2," }],
    ["another sign in a CPU set", { LIBVIRT_CPUSET: "0,2@4" }],
    ["a pool that is an option of virsh", { LIBVIRT_POOL: "--all" }],
    ["a network with a line break", { LIBVIRT_NET: "a\nb" }],
    ["a firmware that is no path", { LIBVIRT_EFI_FIRMWARE: "OVMF.fd" }],
    ["an initrd without a kernel", { LIBVIRT_INITRD: "/boot/initrd" }],
  ])("refuse %s", (_what, env) => {
    expect(codeOf(() => parseLibvirtConfig(load(env)))).toBe("invalid_config");
  });

  it("are all named when several are wrong", () => {
    const parse = () => parseLibvirtConfig(load({ LIBVIRT_CPUSET: "x", LIBVIRT_POOL: "-p" }));
    expect(parse).toThrow(/pool-name[^]*cpuset/);
  });

  it.each([
    ["text", { LIBVIRT_CPU: "two" }],
    ["a negative number", { LIBVIRT_MEMORY: "-1" }],
    ["a word that is no truth", { DISABLECVM: "maybe" }],
    ["an unknown launch security", { LIBVIRT_LAUNCH_SECURITY: "magic" }],
  ])("refuse %s while they are loaded", (_what, env) => {
    expect(() => load(env)).toThrow(/is not allowed/);
  });
});
