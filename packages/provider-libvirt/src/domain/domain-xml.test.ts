import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { elementsAt, parseXml, textAt } from "../xml.ts";
import { describeDomain } from "./describe.ts";
import { domainXml, type DomainPlan } from "./domain-xml.ts";
import type { Machine } from "./hardware.ts";

const machine: Machine = {
  architecture: "x86_64",
  machine: "q35",
  emulator: "",
  domainType: "kvm",
  firmware: "/usr/share/OVMF/OVMF_CODE_4M.fd",
  diskBus: "sata",
  launchSecurity: undefined,
};

function plan(change: Partial<Machine> = {}, rest: Partial<DomainPlan> = {}): DomainPlan {
  return {
    id: "11111111-2222-8333-8444-555555555555",
    domainName: "podvm-web-0-11111111",
    title: "default/web-0",
    metadata: { token: "t-a1", name: "podvm-web-0", fingerprint: "f", createdAt: 17, tags: { pod: "web-0" } },
    machine: { ...machine, ...change },
    vcpus: 2,
    cpuset: "0,2-3",
    memoryMiB: 512,
    pool: "default",
    network: "default",
    mac: "52:54:00:01:02:03",
    rootPath: "/pool/root.qcow2",
    cloudInitPath: "/pool/seed.iso",
    nvramPath: "/pool/nvram.fd",
    dataVolumes: [{ name: "data-1", format: "raw" }],
    ...rest,
  };
}

const s390x: Partial<Machine> = {
  architecture: "s390x",
  machine: "s390-ccw-virtio-7.2",
  emulator: "/usr/bin/qemu-system-s390x",
};
const aarch64: Partial<Machine> = {
  architecture: "aarch64",
  machine: "virt-7.2",
  emulator: "/usr/bin/qemu-system-aarch64",
};
const directBoot = { kernel: "/boot/vmlinuz", initrd: "/boot/initrd", args: "console=ttyS0 a=<b>&c" };
const hostile = { '"><x a="': "'\"&<>]]> ä 漢 😀 %41" };

const cases: readonly (readonly [string, DomainPlan])[] = [
  ["x86_64 with UEFI", plan()],
  ["x86_64 with BIOS on virtio, emulated", plan({ firmware: "", diskBus: "virtio", domainType: "qemu" })],
  ["x86_64 with its own kernel", plan({ firmware: "" }, { directBoot })],
  ["x86_64 with SEV", plan({ launchSecurity: "sev" })],
  ["aarch64", plan(aarch64)],
  ["s390x", plan(s390x)],
  ["s390x, protected", plan({ ...s390x, launchSecurity: "s390-pv" })],
  ["hostile tags", plan({}, { metadata: { ...plan().metadata, tags: hostile } })],
];

describe("domain XML", () => {
  const schema = "/usr/share/libvirt/schemas/domain.rng";
  const canValidate = existsSync(schema) && existsSync("/usr/bin/xmllint");
  it.skipIf(!canValidate).each(cases)(
    "keeps to libvirt's schema: %s (needs libxml2-utils and libvirt0)",
    (_what, one) => {
      const input = domainXml(one);
      expect(() =>
        execFileSync("xmllint", ["--noout", "--relaxng", schema, "-"], { input, stdio: "pipe" }),
      ).not.toThrow();
    },
  );

  it.each(cases)("is the same each time, and tells whose it is: %s", (_what, one) => {
    expect(domainXml(one)).toBe(domainXml(one));
    expect(describeDomain(domainXml(one))).toMatchObject({
      id: one.id,
      running: false,
      metadata: one.metadata,
    });
  });

  const disksOf = (one: DomainPlan) =>
    elementsAt(parseXml(domainXml(one), "it"), "domain/devices/disk").map((disk) =>
      [textAt(disk, "", "@device"), textAt(disk, "target", "@dev"), textAt(disk, "target", "@bus")].join(" "),
    );

  it.each([
    ["x86_64", plan(), ["disk sda sata", "cdrom sdb sata", "disk vda virtio"]],
    [
      "x86_64 on virtio",
      plan({ diskBus: "virtio" }),
      ["disk vda virtio", "disk vdb virtio", "disk vdc virtio"],
    ],
    ["aarch64", plan(aarch64), ["disk vda virtio", "cdrom sda scsi", "disk vdb virtio"]],
    ["s390x", plan(s390x), ["disk vda virtio", "disk vdb virtio", "disk vdc virtio"]],
  ])("has root, cloud-init and data disks in their places: %s", (_what, one, disks) => {
    expect(disksOf(one)).toEqual(disks);
  });

  it("has firmware, variables and protection only where they belong", () => {
    const xml = (one: DomainPlan) => domainXml(one);
    expect(xml(plan())).toContain("<nvram>/pool/nvram.fd</nvram>");
    expect(xml(plan({ firmware: "" }))).not.toMatch(/loader|nvram|firmware/);
    expect(xml(plan({ launchSecurity: "sev" }))).not.toContain("nvram");
    expect(xml(plan(s390x))).not.toMatch(/loader|nvram|firmware|launchSecurity/);
    expect(xml(plan({ ...s390x, launchSecurity: "s390-pv" }))).toContain('<launchSecurity type="s390-pv"');
  });
});
