import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import type { SandboxRecord } from "../../sandbox/record.ts";
import type { ObservedCall, Observer } from "../observer.ts";
import { spanAttributes, spanNames } from "./span-names.ts";

/** A pod whose first container has not started yet. */
interface OpenPod {
  readonly span: Span;
  readonly context: Context;
  runningMs?: number;
}

/** Pods that never get as far as a container must not be kept for ever. */
const MAX_OPEN = 1_000;

/**
 * One trace a pod, from CreateVM to its first container. Spans of steps are made when a step has ended, with the times of
 * the sandbox's record, so the lifecycle knows nothing of this. The trace ends with the first container, or when the pod
 * fails or is stopped before.
 */
export function createPodTraces(tracer: Tracer, { provider }: { readonly provider: string }): Observer {
  const open = new Map<string, OpenPod>();

  const begin = (sandboxId: string, startMs: number): OpenPod => {
    const span = tracer.startSpan(
      spanNames.pod,
      {
        startTime: startMs,
        attributes: { [spanAttributes.sandboxId]: sandboxId, [spanAttributes.provider]: provider },
      },
      ROOT_CONTEXT,
    );
    const pod = { span, context: trace.setSpan(ROOT_CONTEXT, span) };
    for (const [oldest] of open) {
      if (open.size < MAX_OPEN) break;
      end(oldest, Date.now());
    }
    open.set(sandboxId, pod);
    return pod;
  };
  const end = (sandboxId: string, endMs: number): void => {
    open.get(sandboxId)?.span.end(endMs);
    open.delete(sandboxId);
  };
  const step = (
    pod: OpenPod,
    name: string,
    {
      startMs,
      endMs,
      code = "ok",
      attributes = {},
    }: { startMs: number; endMs: number; code?: string; attributes?: Attributes },
  ): void => {
    const span = tracer.startSpan(
      name,
      { startTime: startMs, attributes: { ...attributes, [spanAttributes.code]: code } },
      pod.context,
    );
    if (code !== "ok") span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endMs);
  };
  const ofCall = (call: ObservedCall, name: string): void => {
    const pod = call.sandboxId === undefined ? undefined : open.get(call.sandboxId);
    if (pod !== undefined) step(pod, name, call);
  };

  return {
    hypervisorCallBegan: ({ name, sandboxId, startMs }) => {
      if (name === "CreateVM" && sandboxId !== undefined && !open.has(sandboxId)) begin(sandboxId, startMs);
    },
    hypervisorCall: (call) => {
      if (call.name === "CreateVM") {
        ofCall(call, spanNames.createVM);
        // Refused: there is no sandbox, and nothing more will be told of it.
        if (call.code !== "ok" && call.sandboxId !== undefined) fail(call.sandboxId, call);
      } else if (call.name === "StartVM") ofCall(call, spanNames.startVM);
    },
    providerCall: (call) => {
      if (call.name === "createInstance") ofCall(call, spanNames.provider);
    },
    sandboxChanged: (now, before) => {
      const pod = open.get(now.sandboxId);
      if (pod === undefined) return;
      if (before === undefined)
        pod.span.setAttributes({
          [spanAttributes.podName]: now.podName,
          [spanAttributes.podNamespace]: now.podNamespace,
        });
      for (const { name, startMs, endMs } of endedSpans(now, before))
        step(pod, name, { startMs, endMs, attributes: instanceOf(now) });
      if (now.times.runningMs !== undefined) pod.runningMs = now.times.runningMs;
      if (now.phase === "failed")
        fail(now.sandboxId, { code: "failed", endMs: now.times.endingMs, reason: now.reason });
      else if (now.phase === "stopping") end(now.sandboxId, now.times.endingMs ?? Date.now());
    },
    sandboxGone: ({ sandboxId }, atMs) => end(sandboxId, atMs),
    relayChanged: ({ sandboxId, firstContainerMs }) => {
      const pod = open.get(sandboxId);
      if (pod?.runningMs === undefined || firstContainerMs === undefined) return;
      const endMs = Math.max(firstContainerMs, pod.runningMs);
      step(pod, spanNames.containers, { startMs: pod.runningMs, endMs });
      end(sandboxId, endMs);
    },
  };

  function fail(
    sandboxId: string,
    {
      code,
      endMs = Date.now(),
      reason,
    }: { code: string; endMs?: number | undefined; reason?: string | undefined },
  ): void {
    const span = open.get(sandboxId)?.span;
    span?.setStatus({ code: SpanStatusCode.ERROR, ...(reason === undefined ? {} : { message: reason }) });
    span?.setAttributes({
      [spanAttributes.code]: code,
      ...(reason === undefined ? {} : { [spanAttributes.reason]: reason }),
    });
    end(sandboxId, endMs);
  }
}

/** Steps that have ended between two records. */
function endedSpans(now: SandboxRecord, before: SandboxRecord | undefined) {
  const { startingMs, instanceMs, tunnelMs, connectedMs } = now.times;
  const spans = [
    { name: spanNames.instance, startMs: startingMs, endMs: instanceMs, was: before?.times.instanceMs },
    { name: spanNames.tunnel, startMs: instanceMs, endMs: tunnelMs, was: before?.times.tunnelMs },
    { name: spanNames.connect, startMs: instanceMs, endMs: connectedMs, was: before?.times.connectedMs },
  ];
  return spans.flatMap(({ name, startMs, endMs, was }) =>
    startMs === undefined || endMs === undefined || was !== undefined ? [] : [{ name, startMs, endMs }],
  );
}

function instanceOf({ instance }: SandboxRecord): Attributes {
  return instance === undefined ? {} : { [spanAttributes.instanceId]: instance.id };
}
