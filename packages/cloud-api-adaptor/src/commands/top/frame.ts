import type { InfoResponse, Relay, Sandbox } from "../../gen/peerpods/control/v1/control_pb.ts";
import { age } from "../age.ts";
import { harmless } from "../output.ts";
import { table } from "../table.ts";

/** The sandboxes at one time. */
export interface TopSample {
  readonly atMs: number;
  readonly sandboxes: readonly Sandbox[];
}

/** One picture of the node. Rates are those since `before`; without it there are none. */
export function frame({
  info,
  now,
  before,
}: {
  readonly info: Pick<InfoResponse, "version" | "provider" | "startedAtMs" | "sandboxLimit" | "relay">;
  readonly now: TopSample;
  readonly before: TopSample | undefined;
}): string {
  const earlier = new Map(before?.sandboxes.map((sandbox) => [sandbox.sandboxId, sandbox.relay]));
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  const rows = now.sandboxes.map((sandbox) => {
    const rate = rates(sandbox.relay, earlier.get(sandbox.sandboxId), seconds);
    return [
      sandbox.sandboxId.slice(0, 12),
      harmless(`${sandbox.podNamespace}/${sandbox.podName}`),
      sandbox.phase,
      age(sandbox.timeline[0]?.atMs, now.atMs),
      sandbox.relay?.vm ?? "",
      total(sandbox.relay),
      rate.toVm,
      rate.toShim,
      String(sandbox.relay?.reconnects ?? ""),
      harmless(sandbox.error),
    ];
  });
  return `${summary(info, now)}\n${table([
    ["SANDBOX", "POD", "PHASE", "AGE", "AGENT", "TRAFFIC", "TO VM/s", "TO SHIM/s", "RECONNECTS", ""],
    ...rows,
  ])}`;
}

function summary(
  info: Pick<InfoResponse, "version" | "provider" | "startedAtMs" | "sandboxLimit" | "relay">,
  { atMs, sandboxes }: TopSample,
): string {
  const phases = new Map<string, number>();
  for (const { phase } of sandboxes) phases.set(phase, (phases.get(phase) ?? 0) + 1);
  const counts = [...phases].map(([phase, count]) => `${count} ${phase}`).join(", ");
  const limit = info.sandboxLimit === undefined ? "" : ` of ${info.sandboxLimit}`;
  const relay = info.relay === undefined ? "no relay answers" : `relay ${info.relay.version}`;
  return [
    `cloud-api-adaptor ${info.version}, provider ${info.provider}, up ${age(Number(info.startedAtMs), atMs)}, ${relay}`,
    `${sandboxes.length}${limit} sandboxes${counts === "" ? "" : `: ${counts}`}`,
    "",
  ].join("\n");
}

function total(relay: Relay | undefined): string {
  return relay === undefined ? "" : bytes(Number(relay.bytesToVm + relay.bytesToShim));
}

function rates(now: Relay | undefined, before: Relay | undefined, seconds: number) {
  if (now === undefined || before === undefined || seconds <= 0) return { toVm: "", toShim: "" };
  const rate = (a: bigint, b: bigint) => bytes(Math.max(0, Number(a - b)) / seconds);
  return {
    toVm: rate(now.bytesToVm, before.bytesToVm),
    toShim: rate(now.bytesToShim, before.bytesToShim),
  };
}

/** Up to four digits and a unit of 1024. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
