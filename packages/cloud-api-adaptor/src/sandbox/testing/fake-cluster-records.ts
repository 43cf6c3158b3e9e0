import type { ClusterRecords } from "../ports.ts";
import type { SandboxRecord } from "../record.ts";

/** A cluster that takes and lets go of records at once, with a place to interfere before each act. */
export class FakeClusterRecords implements ClusterRecords {
  readonly records = new Map<string, SandboxRecord>();
  uid: string | undefined = "0b8a6e3c-6b1f-4f5e-9d0e-2f6f1f0c7a11";
  before: (act: "podUid" | "intended" | "release") => Promise<void> = async () => undefined;

  async podUid(): Promise<string | undefined> {
    await this.before("podUid");
    return this.uid;
  }

  async intended(record: SandboxRecord): Promise<void> {
    await this.before("intended");
    this.records.set(record.sandboxId, record);
  }

  async release({ sandboxId }: SandboxRecord): Promise<void> {
    await this.before("release");
    this.records.delete(sandboxId);
  }
}
