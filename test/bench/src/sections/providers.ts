import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { atMost, type Row } from "../report/row.ts";
import { startNode, type NodeOptions } from "../stand/node.ts";
import { cpuSeconds, pssKiB } from "../stand/process-cost.ts";
import { bundleDaemonWith, root } from "../stand/programs.ts";
import { median } from "./median.ts";
import { missingRoot } from "./missing.ts";
import type { Section } from "./section.ts";

const MAX_READY_MS = 400;

/** What `src/testing/bench.ts` of a provider package exports, so that this section need not know any of them. */
interface ProviderBench {
  /** Readies a cloud, or what stands in for it. The environment lets the daemon verify its configuration. */
  prepareBench(): Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }>;
  /** What the provider may add to the daemon's memory once it has called its cloud. */
  readonly maxAddedMiB?: number;
}

/** The daemon with one provider built in: how soon it serves, and what the provider adds to its memory. */
export const providers: Section = {
  name: "providers",
  title: "daemon with one provider, bundled",
  missing: missingRoot,
  async measure({ directory, programs, cloud: startCloud, rounds, progress }) {
    const cloud = await startCloud();
    const bare = { programs: await programs(), cloud, directory: join(directory, "p-bare") };
    const bareMiB = (await measureStarts(bare, rounds)).memoryMiB;
    const rows: Row[] = [];
    for (const [provider, module] of await benchedProviders()) {
      progress(`daemon with ${provider}`);
      await using prepared = await module.prepareBench();
      const daemon = await bundleDaemonWith(provider, join(directory, `b-${provider}`));
      const node = (flags: readonly string[]): NodeOptions => ({
        programs: { daemon },
        cloud: { providerName: provider, flags, env: prepared.env },
        directory: join(directory, `p-${provider}${flags.length}`),
      });
      const idle = await measureStarts(node([]), rounds);
      // The verifier calls the cloud before the daemon is ready, so its SDK is loaded then.
      const used = await measureStarts(node(["-cloud-config-verify=true"]), 1);
      const added = used.memoryMiB - bareMiB;
      const { maxAddedMiB } = module;
      rows.push(
        {
          name: `${provider}, ready`,
          unit: "ms",
          ours: idle.readyMs,
          target: atMost(idle.readyMs, MAX_READY_MS),
          // Of which a busy machine takes nothing away.
          note: `${idle.cpuMs.toFixed(0)} ms of CPU`,
        },
        { name: `${provider}, memory added when ready`, unit: "MiB", ours: idle.memoryMiB - bareMiB },
        {
          name: `${provider}, memory added once the cloud was called`,
          unit: "MiB",
          ours: added,
          ...(maxAddedMiB === undefined ? {} : { target: atMost(added, maxAddedMiB) }),
        },
      );
    }
    return rows;
  },
};

/** PSS of the daemon, and the median of its starts without the first, which makes its keys. */
async function measureStarts(
  options: NodeOptions,
  rounds: number,
): Promise<{ readonly readyMs: number; readonly cpuMs: number; readonly memoryMiB: number }> {
  const readyMs: number[] = [];
  const cpuMs: number[] = [];
  const memoryMiB: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await using node = await startNode(options);
    readyMs.push(node.startMs.daemon);
    cpuMs.push((await cpuSeconds([node.daemonPid])) * 1000);
    memoryMiB.push((await pssKiB(node.daemonPid)) / 1024);
  }
  const ofLater = (values: readonly number[]) => median(values.slice(1));
  return { readyMs: ofLater(readyMs), cpuMs: ofLater(cpuMs), memoryMiB: ofLater(memoryMiB) };
}

/** Provider packages that say how they are benched. */
async function benchedProviders(): Promise<readonly (readonly [name: string, module: ProviderBench])[]> {
  const packages = (await readdir(join(root, "packages"))).filter((name) => name.startsWith("provider-"));
  const found = packages.map((name) => ({
    provider: name.replace("provider-", ""),
    file: join(root, "packages", name, "src/testing/bench.ts"),
  }));
  return await Promise.all(
    found
      .filter(({ file }) => existsSync(file))
      .map(
        async ({ provider, file }) =>
          [provider, (await import(pathToFileURL(file).href)) as ProviderBench] as const,
      ),
  );
}
