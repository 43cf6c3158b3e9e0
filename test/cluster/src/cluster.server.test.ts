import { beforeAll, describe, expect, it } from "vitest";
import { missingBinaries, prepareBinaries, startCluster } from "./index.ts";
import { get } from "./get.ts";

const missing = await missingBinaries();

describe.skipIf(missing !== undefined)(
  `a real API server${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    beforeAll(() => prepareBinaries(), 1_800_000);

    it("starts, knows its users, survives a pause with its data, and counts requests", async () => {
      await using cluster = await startCluster({ users: { reader: ["readers"] } });
      const token = tokenOf(cluster.kubeconfig());
      expect(await get(`${cluster.url}/api/v1/namespaces/default`, cluster.ca, token)).toBe(200);
      expect(await get(`${cluster.url}/api/v1/pods`, cluster.ca, tokenOf(cluster.kubeconfig("reader")))).toBe(
        403,
      );
      await cluster.pause();
      await expect(get(`${cluster.url}/readyz`, cluster.ca, token)).rejects.toThrow("ECONNREFUSED");
      await cluster.resume();
      expect(await get(`${cluster.url}/api/v1/namespaces/default`, cluster.ca, token)).toBe(200);
      const asked = (await cluster.auditLog()).filter((entry) => entry.user.username === "reader");
      expect(
        asked.map((entry) => [entry.verb, entry.objectRef?.resource, entry.responseStatus?.code]),
      ).toEqual([["list", "pods", 403]]);
    });
  },
);

function tokenOf(kubeconfig: string): string {
  return (JSON.parse(kubeconfig) as { users: [{ user: { token: string } }] }).users[0].user.token;
}
