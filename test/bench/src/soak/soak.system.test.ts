import { join } from "node:path";
import { expect, it } from "vitest";
import { createContext } from "../context.ts";
import { missingRoot } from "../sections/missing.ts";
import { startNode } from "../stand/node.ts";
import { createPodNetworks } from "../stand/pods.ts";
import { runCycles } from "./cycles.ts";
import { leftBehind } from "./left-behind.ts";

/** The share of `pnpm soak` that every test run has. Memory is not looked at: a few cycles say nothing about it. */
const share = { cycles: 24, atOnce: 6, quietMs: 0 };
/** Descriptors that may be new after the second portion: a shell more. One left by each sandbox would be twice as many. */
const SLACK = 6;

it("sandboxes come and go, several at a time, and leave nothing: no descriptor, VM, directory or rule", async ({
  skip,
}) => {
  const reason = await missingRoot();
  skip(reason !== undefined, reason);
  await using context = await createContext({ rounds: 1, scale: 1, progress: () => undefined });
  const [programs, cloud] = [await context.programs(), await context.cloud()];
  await using node = await startNode({ programs, cloud, directory: join(context.directory, "n") });
  await using networks = createPodNetworks();
  const [, warm, ...later] = await runCycles({ node, networks, cloud }, share, () => undefined);
  expect(await leftBehind(node, cloud)).toEqual([]);
  const last = later.at(-1);
  for (const program of ["daemon", "relay"] as const)
    expect(last?.[program].descriptors, program).toBeLessThanOrEqual(
      (warm?.[program].descriptors ?? 0) + SLACK,
    );
});
