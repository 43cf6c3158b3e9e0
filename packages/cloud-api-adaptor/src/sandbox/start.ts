import type { WorkerTunnel } from "@peerpods/pod-network";
import { createInstance } from "./attempts.ts";
import type { StartCall } from "./attempts.ts";
import type { LifecycleContext } from "./context.ts";
import { allOrAbort } from "./deadline.ts";
import { SandboxError } from "./errors.ts";
import type { GuestSetup } from "./ports.ts";
import type { SandboxRecord } from "./record.ts";
import type { Sandbox } from "./sandbox.ts";
import { connectionIntended, instanceKnown, isEnding, nowRunning } from "./transitions.ts";
import { whileInstanceLives } from "./while-instance-lives.ts";

/**
 * Takes a created sandbox to `running`: certificates and user data, instance, then tunnel and relay side by side.
 * Undoes nothing by itself: what may exist is in the record, and the caller ends the sandbox when this rejects.
 */
export async function startSandbox(
  sandbox: Sandbox,
  context: LifecycleContext,
  call: StartCall,
): Promise<void> {
  const [guest, podUid] = await Promise.all([
    context.guest.prepare(sandbox.record, call),
    context.cluster?.podUid(sandbox.record, call),
  ]);
  const { userData } = guest;
  const { token, instance } = await createInstance(sandbox, context, { ...call, userData, podUid });
  const tunnel = await sandbox.apply((record) => {
    const known = instanceKnown(record, { token, instance, nowMs: context.clock.now() });
    return isEnding(record) ? known : connectionIntended(known, tunnelTo(known));
  });
  call.signal.throwIfAborted();
  const reached = { tunnelMs: 0, connectedMs: 0 };
  await whileInstanceLives(instance, context, {
    signal: call.signal,
    act: (signal) => connect(tunnel, context, { guest, reached, signal }),
  });
  await sandbox.apply((record) => nowRunning(record, { ...reached, nowMs: context.clock.now() }));
}

/** Tunnel and relay know nothing of each other, so neither waits for the other. Notes in `reached` when each is there. */
async function connect(
  record: SandboxRecord,
  { network, relay, clock, settings }: LifecycleContext,
  {
    guest,
    reached,
    signal,
  }: { guest: GuestSetup; reached: { tunnelMs: number; connectedMs: number }; signal: AbortSignal },
): Promise<void> {
  const { tunnel } = record;
  const host = record.instance?.addresses[0];
  if (tunnel === undefined || host === undefined) throw noAddress(record);
  await allOrAbort(signal, [
    async (signal) => {
      await network.setUp(tunnel, { signal });
      reached.tunnelMs = clock.now();
    },
    async (signal) => {
      await relay.open(
        {
          sandboxId: record.sandboxId,
          socketPath: record.agentSocketPath,
          target: { host, port: settings.forwarderPort },
          ...(guest.tls === undefined ? {} : { tls: guest.tls }),
          dialTimeoutMs: settings.connectTimeoutMs,
        },
        { signal },
      );
      reached.connectedMs = clock.now();
    },
  ]);
}

/** The tunnel ends at the VM's second address when it has an interface of its own for it, else at the first. */
function tunnelTo(record: SandboxRecord): WorkerTunnel {
  const { network, instance, netnsPath } = record;
  const remote = instance?.addresses[network.dedicated ? 1 : 0];
  if (remote === undefined) throw noAddress(record);
  return {
    netnsPath,
    interface: network.interface,
    mtu: network.mtu,
    remote,
    vxlanId: network.vxlanId,
    vxlanPort: network.vxlanPort,
  };
}

function noAddress({ sandboxId, instance, network }: SandboxRecord): SandboxError {
  const needed = network.dedicated
    ? "two addresses (a dedicated tunnel interface is asked for)"
    : "an address";
  return new SandboxError(
    "start_failed",
    `instance ${instance?.id ?? "?"} of sandbox ${sandboxId} has ${instance?.addresses.length ?? 0} addresses, needs ${needed}`,
  );
}
