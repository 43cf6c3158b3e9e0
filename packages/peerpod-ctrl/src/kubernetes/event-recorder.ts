import { randomBytes } from "node:crypto";
import type { Logger } from "@peerpods/cloud-providers";
import { events } from "./core.ts";
import type { KubeClient } from "./kube-client.ts";
import { resource } from "./resource.ts";

/** What an Event is about. */
export interface InvolvedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: "Normal" | "Warning";
  /** One word in CamelCase, for machines. */
  readonly reason: string;
  /** For people: what happened and, for a warning, what to do. At most 1024 bytes; more is cut. */
  readonly message: string;
}

/** Tells people what happened, where they look: `kubectl describe`. Never fails and never holds anything up. */
export interface EventRecorder {
  /** Writes the Event in the background; the same text about the same object again within ten minutes is left out. */
  record(about: InvolvedObject, text: EventText): void;
  /** Resolves when everything recorded so far is written, or has failed. */
  flush(): Promise<void>;
}

const REPEAT_AFTER_MS = 600_000;
const MAX_REMEMBERED = 4_096;

/** @param options.component who speaks: `peerpod-ctrl`, `cloud-api-adaptor`. @param options.instance its host name. */
export function createEventRecorder(
  kube: KubeClient,
  options: { readonly component: string; readonly instance: string; readonly logger: Logger },
): EventRecorder {
  const { component, instance, logger } = options;
  const api = resource(kube, events);
  const said = new Map<string, number>();
  const pending = new Set<Promise<unknown>>();

  return {
    record(about, text) {
      const now = Date.now();
      const key = JSON.stringify([about.uid, text.reason, text.message]);
      if (now - (said.get(key) ?? 0) < REPEAT_AFTER_MS) return;
      said.delete(key);
      said.set(key, now);
      for (const oldest of said.keys()) if (said.size > MAX_REMEMBERED) said.delete(oldest);
      const write = api
        .create(eventObject(about, text, { component, instance, now }), {
          namespace: about.namespace,
          timeoutMs: 10_000,
        })
        .catch((err: unknown) => logger.warn({ err, reason: text.reason }, "Event could not be written"))
        .finally(() => pending.delete(write));
      pending.add(write);
    },
    async flush() {
      await Promise.all(pending);
    },
  };
}

function eventObject(
  about: InvolvedObject,
  { type, reason, message }: EventText,
  {
    component,
    instance,
    now,
  }: { readonly component: string; readonly instance: string; readonly now: number },
): object {
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      // Names of objects can be as long as an Event's own; the random part keeps it apart.
      name: `${about.name.slice(0, 230).replace(/[-.]+$/, "")}.${randomBytes(8).toString("hex")}`,
      namespace: about.namespace,
    },
    involvedObject: about,
    type,
    reason,
    message: cut(message, 1_024),
    source: { component, host: instance },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  return bytes.length <= maxBytes
    ? text
    : `${bytes
        .subarray(0, maxBytes - 4)
        .toString("utf8")
        .replace(/\ufffd+$/, "")}…`;
}
