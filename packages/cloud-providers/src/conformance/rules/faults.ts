import { isProviderError, type ProviderErrorCode } from "../../errors.ts";
import type { Bench } from "../bench.ts";
import { describe, ensure, type Rule } from "../rule.ts";
import { faultKinds, type FaultFacility, type InjectedFault } from "../target.ts";

const source = "contract, Provider: a failed call leaves nothing behind";
const MAX_STEPS = 64;

const says: Readonly<
  Record<InjectedFault, { readonly words: string; readonly codes: readonly ProviderErrorCode[] }>
> = {
  throttle: { words: "is throttled", codes: ["throttled"] },
  server_error: { words: "fails with a server error", codes: ["unavailable"] },
  reset_before: { words: "loses its connection before the cloud acts", codes: ["unavailable"] },
  reset_after: { words: "loses its connection after the cloud has acted", codes: ["unavailable"] },
};

/** A fault at each call of the cloud's API in turn. */
export const faultRules: readonly Rule[] = [
  ...faultKinds.map((kind): Rule => ({
    id: `fault-create-${kind.replaceAll("_", "-")}`,
    title: `A creation of which one call ${says[kind].words}, each in turn, succeeds or leaves nothing`,
    source,
    needs: ["faults", "census"],
    run: (bench) => failEachCall(bench, kind, creations),
  })),
  ...faultKinds.map((kind): Rule => ({
    id: `fault-delete-${kind.replaceAll("_", "-")}`,
    title: `A deletion of which one call ${says[kind].words}, each in turn, can be repeated and leaves nothing`,
    source: "contract, Provider.deleteInstance",
    needs: ["faults", "census"],
    run: (bench) => failEachCall(bench, kind, deletions),
  })),
  {
    id: "fault-lasting",
    title:
      "When the cloud fails for good, at each call in turn, the error names what is left, and a deletion by token removes it later",
    source: "contract, ProviderError.left",
    needs: ["faults", "census"],
    async run(bench) {
      const faults = bench.target.faults as FaultFacility;
      for (let after = 0; ; after++) {
        ensure(after < MAX_STEPS, `more than ${MAX_STEPS} calls of the cloud's API`);
        const before = await bench.census();
        const request = bench.request({ spec: bench.fullSpec() });
        const fault = faults.inject({ kind: "server_error", after, times: Infinity });
        const outcome = await bench.outcome(bench.create(request));
        const { hits } = fault;
        fault[Symbol.dispose]();
        if (!outcome.ok) checkLeft(outcome.error, { before, now: await bench.census() });
        await bench.delete({ token: request.token, tags: request.tags });
        await bench.ensureNothingNew(
          before,
          `after a deletion by token; the cloud had failed from call ${after + 1} on`,
        );
        if (hits === 0) return;
      }
    },
  },
];

interface Deed {
  readonly act: () => Promise<unknown>;
  /** What must hold, and what a caller does next, once it has ended. */
  readonly after: (succeeded: boolean, before: readonly string[]) => Promise<void>;
}

/** Prepares a deed; called anew for each fault. */
type Prepare = () => Promise<Deed>;

/** A creation that succeeds has made what one without faults makes, and nothing twice. */
async function creations(bench: Bench): Promise<Prepare> {
  const madeBy = async (before: readonly string[]) => (await bench.census()).length - before.length;
  const first = bench.request({ spec: bench.fullSpec() });
  const before = await bench.census();
  await bench.create(first);
  const usual = await madeBy(before);
  await bench.remove(first);
  return () => {
    const request = bench.request({ spec: bench.fullSpec() });
    return Promise.resolve({
      act: () => bench.create(request),
      async after(succeeded, before) {
        if (!succeeded) return await bench.ensureNothingNew(before, "after the failure");
        const made = await madeBy(before);
        ensure(made === usual, `it made ${made} things, without the fault it makes ${usual}`);
        await bench.remove(request);
      },
    });
  };
}

function deletions(bench: Bench): Promise<Prepare> {
  return Promise.resolve(async () => {
    const before = await bench.census();
    const request = bench.request({ spec: bench.fullSpec() });
    await bench.create(request);
    return {
      act: () => bench.remove(request),
      async after(succeeded) {
        if (!succeeded) await bench.remove(request);
        await bench.ensureNothingNew(before, "after the deletion");
      },
    };
  });
}

async function failEachCall(
  bench: Bench,
  kind: InjectedFault,
  deeds: (bench: Bench) => Promise<Prepare>,
): Promise<void> {
  const faults = bench.target.faults as FaultFacility;
  const prepare = await deeds(bench);
  for (let after = 0; ; after++) {
    ensure(after < MAX_STEPS, `more than ${MAX_STEPS} calls of the cloud's API`);
    const deed = await prepare();
    const before = await bench.census();
    const fault = faults.inject({ kind, after });
    const outcome = await bench.outcome(deed.act());
    const { hits } = fault;
    fault[Symbol.dispose]();
    if (!outcome.ok) checkCode(outcome.error, kind);
    await deed.after(outcome.ok, before);
    if (hits === 0) return;
  }
}

function checkCode(error: unknown, kind: InjectedFault): void {
  const { codes } = says[kind];
  ensure(isProviderError(error), `it failed with ${describe(error)}, which is no ProviderError`);
  ensure(codes.includes(error.code), `it failed with ${describe(error)}, not with ${codes.join(" or ")}`);
}

function checkLeft(
  error: unknown,
  { before, now }: { readonly before: readonly string[]; readonly now: readonly string[] },
): void {
  const extra = now.filter((name) => !before.includes(name));
  ensure(isProviderError(error), `it failed with ${describe(error)}, which is no ProviderError`);
  ensure(
    extra.length === 0 || error.left.length > 0,
    `${extra.join(", ")} are left, but the error names nothing: ${describe(error)}`,
  );
}
