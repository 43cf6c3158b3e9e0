/**
 * A process of its own that uses a state directory, as another daemon does. Prints what the call returned as JSON.
 * Argument: JSON of {@link OtherProcessOrder}. A creation can be ordered to die at one of its steps, without warning.
 */
import { pathToFileURL } from "node:url";
import { silentLogger, type CreateInstanceRequest, type Logger } from "@peerpods/cloud-providers";
import { newLocalProvider } from "../provider.ts";

export interface OtherProcessOrder {
  readonly stateDirectory: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly act: "create" | "list" | "delete";
  readonly request: CreateInstanceRequest;
  /** Name of the step of the creation at whose beginning the process kills itself. */
  readonly dieAt?: string;
  /** How long after the beginning of that step, wherever it is then. Default 0: at once. */
  readonly dieAfterMs?: number;
}

export async function carryOut(order: OtherProcessOrder): Promise<unknown> {
  const { stateDirectory, config, request } = order;
  const logger: Logger = {
    ...silentLogger,
    debug: (fields) => {
      if (!("step" in fields) || fields.step !== order.dieAt) return;
      const die = () => process.kill(process.pid, "SIGKILL");
      if (order.dieAfterMs === undefined) die();
      else setTimeout(die, order.dieAfterMs).unref();
    },
  };
  const provider = await newLocalProvider({ stateDir: stateDirectory, config, env: {}, logger });
  const call = { signal: AbortSignal.timeout(60_000), logger };
  if (order.act === "create") return await provider.createInstance(request, call);
  if (order.act === "list") return await provider.listInstances(request.tags, call);
  return await provider.deleteInstance({ token: request.token, tags: request.tags }, call);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const order = JSON.parse(process.argv[2] ?? "") as OtherProcessOrder;
  process.stdout.write(JSON.stringify((await carryOut(order)) ?? null));
}
