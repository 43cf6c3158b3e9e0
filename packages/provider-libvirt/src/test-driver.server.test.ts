import { randomBytes } from "node:crypto";
import { ProviderError, silentLogger, type CreateInstanceRequest } from "@peerpods/cloud-providers";
import { runSeededFaults, seededRunCount } from "@peerpods/cloud-providers/conformance";
import { testRequest } from "@peerpods/cloud-providers/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_USER_DATA_BYTES } from "./instance/request.ts";
import { missingForTestDriver, openTestDriver, type TestDriverBed } from "./testing/test-driver-bed.ts";

const missing = await missingForTestDriver();
const runs = seededRunCount(40);

const call = () => ({ signal: new AbortController().signal, logger: silentLogger });
const newRequest = (change: Parameters<typeof testRequest>[0] = {}) =>
  testRequest({ sandboxId: randomBytes(32).toString("hex"), ...change });

describe.skipIf(missing !== undefined)(
  `lives on libvirt's test driver${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let bed: TestDriverBed;
    beforeAll(async () => {
      bed = await openTestDriver();
    });
    afterAll(() => bed[Symbol.asyncDispose]());
    const census = async () => (await bed.target.census?.()) ?? [];

    it(`${runs} lives of instances under faults leave nothing`, { timeout: runs * 15_000 }, async () => {
      expect(await runSeededFaults(bed.target, { runs, seed: 11 })).toEqual({ done: runs, failures: [] });
    });

    it("takes no more commands of virsh for a creation and a deletion than are needed", async () => {
      const provider = await bed.connect();
      const request = newRequest();
      const commandsOf = async <T>(act: Promise<T>) => {
        const first = bed.commands.length;
        await bed.drive(act);
        return bed.commands.slice(first);
      };
      expect(await commandsOf(provider.createInstance(request, call()))).toEqual([
        "dumpxml",
        "capabilities",
        "vol-dumpxml",
        ...["vol-create", "vol-dumpxml", "vol-create", "vol-dumpxml", "vol-upload"],
        ...["create", "define", "domifaddr"],
      ]);
      expect(
        await commandsOf(provider.deleteInstance({ token: request.token, tags: request.tags }, call())),
      ).toEqual([
        ...["dumpxml", "destroy", "undefine", "undefine"],
        ...["pool-refresh", "vol-list", "vol-delete", "vol-delete"],
      ]);
    });

    describe("bad input in a request is refused, and nothing is made", () => {
      const spec = (change: Partial<CreateInstanceRequest["spec"]>) => newRequest({ spec: change });
      it.each<[what: string, code: string, request: CreateInstanceRequest]>([
        ["an image that does not exist", "not_found", spec({ image: "no-such.qcow2" })],
        ["an image with shell characters", "not_found", spec({ image: "$(touch /tmp/x);`id`|&.qcow2" })],
        ["an image with URL characters", "not_found", spec({ image: "../../etc/shadow?x=%2F#y" })],
        ["an image that is an option of virsh", "invalid_request", spec({ image: "--pool" })],
        ["an image with a line break", "invalid_request", spec({ image: "a\nb" })],
        ["a machine type", "invalid_request", spec({ instanceType: "m5.large" })],
        ["another architecture", "invalid_request", spec({ arch: "s390x" })],
        ["a volume that does not exist", "not_found", spec({ volumes: [{ diskId: "no-such" }] })],
        ["a volume with URL characters", "invalid_request", spec({ volumes: [{ diskId: "a/../b?c" }] })],
        [
          "user data one byte over the limit",
          "invalid_request",
          newRequest({ userData: "x".repeat(MAX_USER_DATA_BYTES + 1) }),
        ],
        ["a tag without a name", "invalid_request", { ...newRequest(), tags: { "": "x" } }],
        ["half a character in a tag", "invalid_request", { ...newRequest(), tags: { a: "\ud800" } }],
        ["a token with shell characters", "invalid_request", { ...newRequest(), token: "$(id)" }],
      ])("%s: %s", async (_what, code, request) => {
        const provider = await bed.connect();
        const before = await census();
        const first = bed.commands.length;
        const creation = bed.drive(provider.createInstance(request, call()));
        await expect(creation).rejects.toMatchObject({ code });
        expect(await census()).toEqual(before);
        const made = bed.commands
          .slice(first)
          .filter((name) => /^(vol-create|vol-upload|create|define)$/.test(name));
        expect(made).toEqual([]);
      });
    });

    describe("bad input in a deletion is refused before libvirt is asked", () => {
      it.each([
        "",
        "i-0123456789abcdef0",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
        // A UUID that libvirt itself would give.
        "3f2c0b0e-6a52-4c39-9f0b-0a5c9a3f0d11",
        "$(reboot)",
        "--all",
        "test+unix:///default?socket=x#y",
        "*",
      ])("the id %j", async (instanceId) => {
        const provider = await bed.connect();
        const first = bed.commands.length;
        const deletion = provider.deleteInstance({ instanceId, tags: {} }, call());
        await expect(deletion).rejects.toSatisfy(
          (error) => error instanceof ProviderError && error.code === "invalid_request",
        );
        expect(bed.commands.slice(first)).toEqual([]);
      });
    });
  },
);
