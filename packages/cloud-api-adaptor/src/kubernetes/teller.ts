import type { EventRecorder, EventText, PeerPod } from "@peerpods/peerpod-ctrl";
import type { SandboxRecord } from "../sandbox/record.ts";
import type { PodLookup } from "./pod-lookup.ts";

const LOOKUP_TIMEOUT_MS = 5_000;

/** Writes Events where people look: on the Pod, and on its PeerPod where there is one. Never fails, never waits. */
export interface Teller {
  tell(record: SandboxRecord, text: EventText): void;
  /** Resolves when everything told so far is written, or has failed. */
  flush(): Promise<void>;
}

export function createTeller(options: {
  readonly recorder: EventRecorder;
  readonly lookup: PodLookup;
  readonly peerPodOf: (sandboxId: string) => PeerPod | undefined;
}): Teller {
  const { recorder, lookup, peerPodOf } = options;
  const pending = new Set<Promise<void>>();

  function record(text: EventText, { podName, podNamespace }: SandboxRecord, podUid: string | undefined) {
    // Without its UID `kubectl describe` does not show it.
    if (podUid === undefined) return;
    recorder.record(
      { apiVersion: "v1", kind: "Pod", name: podName, namespace: podNamespace, uid: podUid },
      text,
    );
  }

  return {
    tell(sandbox, text) {
      const peerPod = peerPodOf(sandbox.sandboxId);
      if (peerPod !== undefined) {
        const { apiVersion, kind, metadata } = peerPod;
        const { name, uid } = metadata;
        recorder.record({ apiVersion, kind, name, uid, namespace: sandbox.podNamespace }, text);
      }
      if (sandbox.podUid !== undefined) {
        record(text, sandbox, sandbox.podUid);
        return;
      }
      const told = lookup.find(sandbox, { timeoutMs: LOOKUP_TIMEOUT_MS }).then(
        (pod) => record(text, sandbox, pod?.uid),
        // The API server is away or does not allow it; who keeps the PeerPods says so.
        () => undefined,
      );
      pending.add(told);
      void told.finally(() => pending.delete(told));
    },
    async flush() {
      await Promise.all(pending);
      await recorder.flush();
    },
  };
}
