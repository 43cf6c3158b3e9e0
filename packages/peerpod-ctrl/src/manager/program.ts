import { randomUUID } from "node:crypto";
import {
  loadOptions,
  optionsHelp,
  OptionsError,
  type Logger,
  type OptionSpec,
  type OptionValues,
  type ProviderRegistry,
} from "@peerpods/cloud-providers";
import { pino } from "pino";
import { runInstallCommand, runUninstallCommand, type InstallParts } from "../install/install-command.ts";
import { installOptions, uninstallOptions } from "../install/options.ts";
import { createKubeClient } from "../kubernetes/kube-client.ts";
import { loadKubeConfig } from "../kubernetes/load-kube-config.ts";
import { release, releaseProblems } from "../release-of.ts";
import { runManager, type ManagerParts } from "./manager.ts";
import { createMetrics } from "./metrics.ts";
import { managerOptions, sweepOptions, toManagerSettings } from "./options.ts";
import { stopSignal, type SignalSource } from "./signals.ts";
import { runSweepCommand } from "./sweep-command.ts";

const PROGRAM = "peerpod-ctrl";

/** Everything the program touches. */
export interface ProgramParts extends InstallParts {
  /** Words behind the program's name. */
  readonly argv: readonly string[];
  readonly signals: SignalSource;
  readonly exitNow: (code: number) => void;
  /** Providers that are built in. */
  readonly registry: ProviderRegistry;
  /** `(specifier) => import(specifier)`, from the program file. */
  readonly importPackage: (specifier: string) => Promise<unknown>;
  readonly hostname: string;
  /** Namespace of the pod's service account; empty outside a pod. */
  readonly podNamespace: string;
}

/**
 * The controller as a program.
 *
 * Exit codes: 0 for help, `version`, and an end by a first SIGINT or SIGTERM; 1 for everything that is wrong, the loss of the
 * lease included.
 */
export async function runProgram(parts: ProgramParts): Promise<number> {
  const { argv, stdout, stderr } = parts;
  const [word, ...rest] = argv;
  switch (word) {
    case "help":
      stdout(usage());
      return 0;
    case "version":
      stdout(versionText());
      return 0;
    case "sweep":
      return await run(parts, rest, { spec: [...managerOptions, ...sweepOptions], start: sweepOnce });
    case "install":
      return await run(parts, rest, { spec: installOptions, start: runInstallCommand });
    case "uninstall":
      return await run(parts, rest, { spec: uninstallOptions, start: runUninstallCommand });
    default:
      if (word === undefined || word.startsWith("-"))
        return await run(parts, argv, { spec: managerOptions, start: control });
      stderr(`unknown command ${JSON.stringify(word)}\n\n${usage()}`);
      return 1;
  }
}

function versionText(): string {
  const { version, found } = release;
  return `${PROGRAM} version ${version}\n  node: ${process.version}\n  cloud-providers: ${found["@peerpods/cloud-providers"] ?? ""}\n`;
}

function usage(): string {
  return [
    `Usage: ${PROGRAM} [flags]                    runs the controller`,
    `       ${PROGRAM} sweep [--dry-run] [flags]  deletes instances that nobody will ever delete`,
    `       ${PROGRAM} install [flags]            prints the objects of an installation, or applies them`,
    `       ${PROGRAM} uninstall [flags]          waits until no pod VM is left, then removes them`,
    `       ${PROGRAM} help | version`,
    "",
    "Flags:",
    optionsHelp(managerOptions),
    "",
    "Flags of sweep:",
    optionsHelp(sweepOptions),
    "",
    "Flags of install:",
    optionsHelp(installOptions),
    "",
    "Flags of uninstall:",
    optionsHelp(uninstallOptions),
    "",
  ].join("\n");
}

/** What a command does with its parsed flags; gives the exit code. */
interface Command {
  readonly spec: OptionSpec;
  readonly start: (parts: ProgramParts, values: OptionValues, stop: AbortSignal) => Promise<number>;
}

async function run(parts: ProgramParts, argv: readonly string[], { spec, start }: Command): Promise<number> {
  const { env, stdout, stderr, signals, exitNow } = parts;
  using stop = stopSignal(signals, () => exitNow(1));
  try {
    const loaded = loadOptions(spec, { argv, env });
    if ("help" in loaded) {
      stdout(usage());
      return 0;
    }
    return await start(parts, loaded.values, stop.signal);
  } catch (error) {
    stderr(`${PROGRAM}: ${explain(error)}\n`);
    return 1;
  }
}

async function control(parts: ProgramParts, values: OptionValues, stop: AbortSignal): Promise<number> {
  using manager = connect(parts, values, parts.stdout);
  await runManager(manager, stop);
  return 0;
}

async function sweepOnce(parts: ProgramParts, values: OptionValues, stop: AbortSignal): Promise<number> {
  const { stdout, stderr } = parts;
  const dryRun = values["dry-run"] === true;
  const output = values["output"] === "json" ? "json" : "table";
  // The report is what goes to standard output.
  using manager = connect(parts, values, stderr);
  return await runSweepCommand(manager, { dryRun, output, stdout }, stop);
}

function connect(
  { env, registry, importPackage, hostname, podNamespace }: ProgramParts,
  values: OptionValues,
  log: (line: string) => void,
): ManagerParts & Disposable {
  const settings = toManagerSettings(values, podNamespace);
  const logger = createLogger(settings.logLevel, log);
  for (const problem of releaseProblems())
    logger.warn({ problem }, "what is installed does not fit together");
  const metrics = createMetrics();
  let lastContactMs: number | undefined;
  const kube = createKubeClient(loadKubeConfig(settings.kubeconfig, env), {
    observe(observation) {
      // Any answer is contact, a refusal too; words instead of a status mean that there was none.
      if (/^\d/.test(observation.outcome)) lastContactMs = Date.now();
      metrics.observeRequest(observation);
    },
  });
  return {
    settings,
    kube,
    metrics,
    logger,
    sources: { registry, env, importPackage },
    identity: `${hostname}_${randomUUID()}`,
    lastContactMs: () => lastContactMs,
    [Symbol.dispose]: () => kube[Symbol.dispose](),
  };
}

function createLogger(level: string, write: (line: string) => void): Logger {
  return pino(
    {
      level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

/** An error with its causes in one line. */
function explain(error: unknown): string {
  if (error instanceof OptionsError) return `${error.message}\nSee "${PROGRAM} help".`;
  const texts: string[] = [];
  for (let at = error; at !== undefined && texts.length < 5; at = at instanceof Error ? at.cause : undefined)
    texts.push(at instanceof Error ? at.message : JSON.stringify(at));
  return texts.join(": ");
}
