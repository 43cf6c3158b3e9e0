import { randomUUID } from "node:crypto";
import {
  loadOptions,
  optionsHelp,
  OptionsError,
  type Logger,
  type OptionSpec,
  type ProviderRegistry,
} from "@peerpods/cloud-providers";
import { pino } from "pino";
import { createKubeClient } from "../kubernetes/kube-client.ts";
import { loadKubeConfig } from "../kubernetes/load-kube-config.ts";
import { version } from "../version.ts";
import { runManager, type ManagerParts } from "./manager.ts";
import { createMetrics } from "./metrics.ts";
import { managerOptions, sweepOptions, toManagerSettings } from "./options.ts";
import { stopSignal, type SignalSource } from "./signals.ts";
import { runSweepCommand } from "./sweep-command.ts";

const PROGRAM = "peerpod-ctrl";

/** Everything the program touches. */
export interface ProgramParts {
  /** Words behind the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
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
      stdout(`${PROGRAM} version ${version}\n  node: ${process.version}\n`);
      return 0;
    case "sweep":
      return await run(parts, { command: "sweep", argv: rest, spec: [...managerOptions, ...sweepOptions] });
    default:
      if (word === undefined || word.startsWith("-"))
        return await run(parts, { command: "run", argv, spec: managerOptions });
      stderr(`unknown command ${JSON.stringify(word)}\n\n${usage()}`);
      return 1;
  }
}

function usage(): string {
  return [
    `Usage: ${PROGRAM} [flags]                    runs the controller`,
    `       ${PROGRAM} sweep [--dry-run] [flags]  deletes instances that nobody will ever delete`,
    `       ${PROGRAM} help | version`,
    "",
    "Flags:",
    optionsHelp(managerOptions),
    "",
    "Flags of sweep:",
    optionsHelp(sweepOptions),
    "",
  ].join("\n");
}

async function run(
  parts: ProgramParts,
  {
    command,
    argv,
    spec,
  }: { readonly command: "run" | "sweep"; readonly argv: readonly string[]; readonly spec: OptionSpec },
): Promise<number> {
  const { env, stdout, stderr, signals, exitNow } = parts;
  using stop = stopSignal(signals, () => exitNow(1));
  try {
    const loaded = loadOptions(spec, { argv, env });
    if ("help" in loaded) {
      stdout(usage());
      return 0;
    }
    const settings = toManagerSettings(loaded.values, parts.podNamespace);
    // The report of a sweep is what goes to standard output.
    const logger = createLogger(settings.logLevel, command === "run" ? stdout : stderr);
    const manager = connect(parts, settings, logger);
    if (command === "run") {
      await runManager(manager, stop.signal);
      return 0;
    }
    const dryRun = loaded.values["dry-run"] === true;
    const output = loaded.values["output"] === "json" ? "json" : "table";
    return await runSweepCommand(manager, { dryRun, output, stdout }, stop.signal);
  } catch (error) {
    stderr(`${PROGRAM}: ${explain(error)}\n`);
    return 1;
  }
}

function connect(
  { env, registry, importPackage, hostname }: ProgramParts,
  settings: ManagerParts["settings"],
  logger: Logger,
): ManagerParts {
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
