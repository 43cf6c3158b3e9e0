import type { LiveObject } from "./kinds.ts";

/** Whether an object is ready; `text` for people, absent where there is nothing to be ready. */
export interface Readiness {
  readonly ready: boolean;
  readonly text?: string;
}

export function readinessOf(object: LiveObject): Readiness {
  switch (object.kind) {
    case "CustomResourceDefinition":
      return established(object);
    case "Deployment":
      return deployment(object);
    case "DaemonSet":
      return daemonSet(object);
    default:
      return { ready: true };
  }
}

function established({ status = {} }: LiveObject): Readiness {
  const conditions = (status["conditions"] ?? []) as readonly { type: string; status: string }[];
  const ready = conditions.some(({ type, status: is }) => type === "Established" && is === "True");
  return { ready, text: ready ? "served" : "not served yet" };
}

function deployment({ metadata, spec = {}, status = {} }: LiveObject): Readiness {
  const wanted = Number(spec["replicas"] ?? 1);
  const available = Number(status["availableReplicas"] ?? 0);
  const updated = Number(status["updatedReplicas"] ?? 0);
  const ready = isSeen({ metadata, status }) && updated >= wanted && available >= wanted;
  return { ready, text: `${Math.min(available, updated)} of ${wanted} replicas` };
}

/** A DaemonSet that is updated on deletion only is ready with pods of the old form, and says so. */
function daemonSet({ metadata, spec = {}, status = {} }: LiveObject): Readiness {
  const count = (field: string) => Number(status[field] ?? 0);
  const wanted = count("desiredNumberScheduled");
  const available = count("numberAvailable");
  const outdated = wanted - count("updatedNumberScheduled");
  const byHand = (spec["updateStrategy"] as { type?: string } | undefined)?.type === "OnDelete";
  const ready = isSeen({ metadata, status }) && available >= wanted && (byHand || outdated <= 0);
  if (ready && wanted === 0) return { ready, text: noNode(spec) };
  const old =
    byHand && outdated > 0 ? `, ${outdated} still of the earlier version: drain and delete their pods` : "";
  return { ready, text: `${available} of ${wanted} nodes${old}` };
}

function noNode(spec: Readonly<Record<string, unknown>>): string {
  const { template } = spec as { template?: { spec?: { nodeSelector?: Record<string, string> } } };
  const labels = Object.entries(template?.spec?.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  return `on no node, since none has the labels ${labels.join(", ")}: kubectl label node <name> ${labels.join(" ")}`;
}

function isSeen({ metadata, status = {} }: Pick<LiveObject, "metadata" | "status">): boolean {
  return Number(status["observedGeneration"] ?? 0) >= (metadata.generation ?? 0);
}
