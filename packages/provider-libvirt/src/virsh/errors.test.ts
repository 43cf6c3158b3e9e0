import { describe, expect, it } from "vitest";
import { parseAddresses } from "../instance/addresses.ts";
import { idOfToken, instanceIdForm } from "../identity.ts";
import { virshError } from "./errors.ts";

describe("what virsh says", () => {
  it.each([
    [
      "failed to connect to the hypervisor\nerror: Cannot recv data: Host key verification failed.",
      "unauthorized",
    ],
    ["failed to connect to the hypervisor\nerror: authentication failed: access denied", "unauthorized"],
    [
      "failed to connect to the hypervisor\nerror: unable to connect to server at 'h:1': Connection refused",
      "unavailable",
    ],
    [
      "failed to connect to the hypervisor\nerror: no connection driver available for foo:///system",
      "invalid_config",
    ],
    ["failed to get domain 'x'", "not_found"],
    ["failed to get domain 'x'\nerror: End of file while reading data: Input/output error", "unavailable"],
    [
      "failed to get vol 'x'\nerror: Storage volume not found: no storage vol with matching path 'x'",
      "not_found",
    ],
    ["Failed to create vol from x\nerror: operation failed: storage vol already exists", "conflict"],
    [
      "Failed to destroy domain 'x'\nerror: Requested operation is not valid: domain is not running",
      "conflict",
    ],
    ["internal error: pool 'p' has asynchronous jobs running.", "unavailable"],
    ["cannot acquire state change lock (held by x) due to max_queued limit", "throttled"],
    ["cannot write data to file: No space left on device", "quota_exceeded"],
    [
      "internal error: process exited: cannot set up guest memory 'pc.ram': Cannot allocate memory",
      "no_capacity",
    ],
    ["something that nobody has seen", "internal"],
  ])("%j is %s", (said, code) => {
    expect(virshError("start", { ok: false, stdout: "", stderr: `error: ${said}\n` }).code).toBe(code);
  });
});

describe("addresses", () => {
  it("are those of IPv4, the VM's own interface first, each once", () => {
    const table = ` lo     00:00:00:00:00:00  ipv4  127.0.0.1/8
 docker0  02:42:00:00:00:01  ipv4  172.17.0.1/16
 eth0   52:54:00:01:02:03  ipv4  192.0.2.7/24
 eth0   52:54:00:01:02:03  ipv6  fe80::1/64
 eth0   52:54:00:01:02:03  ipv4  192.0.2.7/24
 eth1   52:54:00:01:02:04  N/A  N/A`;
    expect(parseAddresses(table, "52:54:00:01:02:03")).toEqual(["192.0.2.7", "172.17.0.1"]);
  });
});

describe("the id of a token", () => {
  it("is a UUID of our version, the same each time and another for another token", () => {
    expect(idOfToken("a-a1")).toMatch(instanceIdForm);
    expect(idOfToken("a-a1")).toBe(idOfToken("a-a1"));
    expect(idOfToken("a-a1")).not.toBe(idOfToken("a-a2"));
  });

  it.each(["3f2c0b0e-6a52-4c39-9f0b-0a5c9a3f0d11", "i-0123456789abcdef0", "", "--all"])("is not %j", (id) => {
    expect(id).not.toMatch(instanceIdForm);
  });
});
