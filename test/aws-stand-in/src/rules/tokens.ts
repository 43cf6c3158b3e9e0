import { createHash } from "node:crypto";
import { Ec2Error } from "../ec2-error.ts";
import { without, type Query } from "../query.ts";
import type { State } from "../state.ts";

/** One call at a time for each token: the second waits for what the first has made. */
const running = new WeakMap<State, Map<string, Promise<unknown>>>();

/**
 * Makes something at most once for each client token.
 * @param make answers with the id of what it made.
 * @returns that id, and whether it had been made before.
 * @throws Ec2Error `IdempotentParameterMismatch` when the token came with other parameters.
 */
export async function oncePerToken(
  state: State,
  { action, query }: { readonly action: string; readonly query: Query },
  make: () => Promise<string>,
): Promise<string> {
  const token = query["ClientToken"];
  if (token === undefined) return await make();
  if (!/^[\x21-\x7e]{1,64}$/.test(token))
    throw new Ec2Error("InvalidParameterValue", "The client token is not 1 to 64 ASCII characters");
  const key = `${action} ${token}`;
  const queue = running.get(state) ?? new Map<string, Promise<unknown>>();
  running.set(state, queue);
  const before = queue.get(key) ?? Promise.resolve();
  const mine = before.then(
    () => decide(state, { key, query }, make),
    () => decide(state, { key, query }, make),
  );
  queue.set(key, mine);
  return await mine;
}

async function decide(
  state: State,
  { key, query }: { readonly key: string; readonly query: Query },
  make: () => Promise<string>,
): Promise<string> {
  const fingerprint = fingerprintOf(query);
  const known = state.tokens.get(key);
  if (known === undefined) {
    const id = await make();
    state.tokens.set(key, { fingerprint, id });
    return id;
  }
  if (known.fingerprint === fingerprint) return known.id;
  throw new Ec2Error(
    "IdempotentParameterMismatch",
    "The request uses the same client token as a previous, but non-identical request.",
  );
}

function fingerprintOf(query: Query): string {
  const entries = Object.entries(without(query, "ClientToken")).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex");
}
