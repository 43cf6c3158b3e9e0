import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadProvider } from "@peerpods/cloud-providers";
import { optionsWith, secretTexts } from "../daemon/all-options.ts";
import { createRelayClient } from "../relay/control/client.ts";
import { RELAY_UNIT } from "../relay/process/launch.ts";
import { packageVersion as version } from "../release.ts";
import { archiveOf } from "./support/archive.ts";
import { askDaemon, settingsOf, type DaemonFacts } from "./support/daemon-facts.ts";
import { endOf, Gathering } from "./support/gather.ts";
import { gatherNetwork } from "./support/network-state.ts";
import { createRedaction, redactJson } from "./support/redact.ts";
import { CommandError, causeLine } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { runChecks } from "./doctor/check.ts";
import type { DoctorHost } from "./doctor/host.ts";
import { nodeChecks } from "./doctor/node-checks.ts";
import { toJson } from "./output.ts";

/**
 * `peerpods support-bundle`: one archive with what helps to find a fault. Works without a daemon too, with less in it.
 * Secrets are replaced before anything is written: known values, private keys, what looks like one; the daemon's own
 * answers carry none.
 */
export async function supportBundle(
  context: CommandContext,
  { output }: { readonly output?: string },
): Promise<void> {
  const { signal } = context;
  const atMs = Date.now();
  const root = `peerpods-support-${new Date(atMs).toISOString().replaceAll(/[:.]/g, "-")}`;
  const path = resolve(output ?? `${root}.tar.gz`);
  const host = await context.host();
  const daemon = await askDaemon(context).catch((error: unknown) => causeLine(error));
  const facts = typeof daemon === "string" ? undefined : daemon;
  const gathering = new Gathering(createRedaction(await knownSecrets(context, facts)), signal);
  if (typeof daemon === "string") await gathering.add("no-daemon.txt", () => `${daemon}\n`);
  await gatherDaemon(gathering, facts, host);
  await gatherNode(gathering, { context, facts, host });
  const names = gathering.files.map(({ name }) => name);
  const files = [
    {
      name: "manifest.json",
      text: `${toJson({ version, atMs, files: names, problems: gathering.problems })}\n`,
    },
    ...gathering.files,
  ];
  await writeNew(path, await archiveOf(files, { root, atMs }));
  context.stdout.write(
    context.json
      ? `${toJson({ path, files: names, problems: gathering.problems })}\n`
      : `${path}\n${files.length} files${facts === undefined ? ", without a daemon's answers" : ""}; look through it before you pass it on\n`,
  );
}

async function gatherDaemon(
  gathering: Gathering,
  facts: DaemonFacts | undefined,
  host: DoctorHost,
): Promise<void> {
  await gathering.add("versions.json", async () => ({
    tool: version,
    node: host.nodeVersion,
    kernel: host.kernelRelease,
    os: await host.read("/etc/os-release"),
    daemon: facts?.info,
  }));
  if (facts === undefined) return;
  await gathering.add("options.json", () => facts.options);
  await gathering.add("sandboxes.json", () => facts.sandboxes);
  await gathering.add("findings-provider.json", () => facts.findings);
  await gathering.add("daemon.log", () => facts.log);
  await gathering.add("daemon-limits.txt", () => host.read(`/proc/${facts.info.pid}/limits`));
  await gathering.add("daemon-status.txt", () => host.read(`/proc/${facts.info.pid}/status`));
}

async function gatherNode(
  gathering: Gathering,
  {
    context,
    facts,
    host,
  }: { readonly context: CommandContext; readonly facts: DaemonFacts | undefined; readonly host: DoctorHost },
): Promise<void> {
  const { signal, providers } = context;
  const settings = settingsOf(facts, providers.env);
  await gathering.add("findings-node.json", () => runChecks(nodeChecks, { host, settings, signal }));
  const relay = createRelayClient({ socketPath: settings.relaySocketPath });
  await gathering.add("relay.json", async () => ({
    hello: await relay.hello({ signal }),
    sandboxes: await relay.list({ signal }),
  }));
  await gathering.add("relay.log", async () => {
    const ofUnit = await host.run("journalctl", ["--unit", `${RELAY_UNIT}*`, "--lines=5000", "--no-pager"], {
      signal,
    });
    return (
      (await endOf(join(settings.stateDir, "agent-relay.log"))) ?? (ofUnit.ok ? ofUnit.stdout : undefined)
    );
  });
  const journal = join(settings.stateDir, "journal");
  await gathering.addDirectory("journal", journal, redactJson);
  await gathering.addDirectory("journal/sandboxes", join(journal, "sandboxes"), redactJson);
  await gathering.addDirectory("journal/quarantine", join(journal, "quarantine"), redactJson);
  await gathering.addDirectory("failed-starts", join(settings.stateDir, "failed-starts"), (text) => text);
  await gathering.add("memory.txt", () => host.read("/proc/meminfo"));
  await gatherNetwork(gathering, { host, signal, pods: podsOf(gathering) });
}

/** Where the journal says that the pods' namespaces are. */
function podsOf(gathering: Gathering) {
  return gathering.files
    .filter(({ name }) => name.startsWith("journal/sandboxes/"))
    .flatMap(({ name, text }) => {
      const netnsPath = /"netnsPath": "(\/[^"\\]+)"/.exec(text)?.[1];
      const sandboxId = name.slice("journal/sandboxes/".length, -".json".length);
      return netnsPath === undefined ? [] : [{ sandbox: { sandboxId }, netnsPath }];
    });
}

/** Secret options that this process's environment sets; those of the daemon's own were never told. */
async function knownSecrets(
  { providers }: CommandContext,
  facts: DaemonFacts | undefined,
): Promise<readonly string[]> {
  const names = facts === undefined ? providers.registry.names() : [facts.info.provider];
  const found = await Promise.all(
    names.map(async (name) => {
      const provider = await loadProvider(name, providers).catch(() => undefined);
      return provider === undefined
        ? []
        : secretTexts(optionsWith(provider), { argv: [], env: providers.env });
    }),
  );
  return found.flat();
}

async function writeNew(path: string, content: Uint8Array): Promise<void> {
  try {
    await writeFile(path, content, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${causeLine(error)}`, {
      remedy: "name a file that does not exist, in a directory that does, with --output",
      cause: error,
    });
  }
}
