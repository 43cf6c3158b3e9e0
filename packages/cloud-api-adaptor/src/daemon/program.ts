import {
  loadOptions,
  loadProvider,
  optionsHelp,
  OptionsError,
  redactOptions,
} from "@peerpods/cloud-providers";
import type { CloudProvider, LoadedOptions, ProviderRegistry } from "@peerpods/cloud-providers";
import { createCommandShells, createIpRoute2 } from "@peerpods/pod-network";
import { explain } from "../sandbox/errors.ts";
import type { PodNetwork } from "../sandbox/ports.ts";
import { chainProblems, chainText } from "../release-chain.ts";
import { packageVersion as version } from "../release.ts";
import { optionsWith, secretTexts } from "./all-options.ts";
import { parseInvocation, usage, versionText } from "./command-line.ts";
import { runDaemon } from "./daemon.ts";
import { describeOptions } from "./described-options.ts";
import type { DaemonParts } from "./parts.ts";
import { createLogger } from "./logger.ts";
import { createRecentLog } from "./recent-log.ts";
import { createScrubber } from "./scrub.ts";
import type { Scrub } from "./scrub.ts";
import { createServiceNotifier } from "./sd-notify.ts";
import { settingsWarnings, toSettings } from "./settings.ts";
import type { DaemonSettings } from "./settings.ts";
import { untilSignalled } from "./signals.ts";
import type { SignalSource } from "./signals.ts";
import { createWorkerNetwork } from "./worker-network.ts";

const PROGRAM = "cloud-api-adaptor";
/** What the parts may take on top of the orderly end before the process is ended anyway. */
const EXIT_MARGIN_MS = 5_000;

/** Everything the program touches. */
export interface ProgramParts {
  /** Words behind the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signals: SignalSource;
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void;
  readonly registry: ProviderRegistry;
  /** `(specifier) => import(specifier)`, from the program file. */
  readonly importPackage: (specifier: string) => Promise<unknown>;
  readonly ensureRelay: DaemonParts["ensureRelay"];
  /** Default: iproute2 and nftables of this machine. */
  readonly network?: (settings: DaemonSettings) => PodNetwork;
}

/**
 * The daemon as a program: command line, output, exit code.
 *
 * 0 for help that was asked for, `version` and an end by a first SIGINT or SIGTERM; 1 for everything that is wrong. No
 * output carries a secret.
 */
export async function runProgram(parts: ProgramParts): Promise<number> {
  const { argv, stdout, stderr, registry } = parts;
  const invocation = parseInvocation(argv);
  switch (invocation.kind) {
    case "version":
      stdout(
        versionText(PROGRAM, {
          version,
          commit: parts.env["PEERPODS_COMMIT"] ?? "unknown",
          chain: chainText(),
        }),
      );
      return 0;
    case "help":
      if (invocation.problem === undefined) {
        stdout(usage(PROGRAM, registry.names()));
        return 0;
      }
      stderr(`${invocation.problem}\n\n${usage(PROGRAM, registry.names())}`.replace(/^\n+/, ""));
      return 1;
    case "run":
      return await runProvider(parts, invocation);
    default:
      return invocation satisfies never;
  }
}

async function runProvider(
  parts: ProgramParts,
  { providerName, argv }: { readonly providerName: string; readonly argv: readonly string[] },
): Promise<number> {
  const { env, stderr, registry, importPackage } = parts;
  let scrub: Scrub = createScrubber([]);
  try {
    const cloudProvider = await loadProvider(providerName, { registry, env, importPackage });
    const spec = optionsWith(cloudProvider);
    scrub = createScrubber(secretTexts(spec, { argv, env }));
    const loaded = loadOptions(spec, { argv, env });
    if ("help" in loaded) {
      stderr(`Usage: ${PROGRAM} ${providerName} [flags]\n${optionsHelp(spec)}\n`);
      return 0;
    }
    const inKubernetes = (env["KUBERNETES_SERVICE_HOST"] ?? "") !== "";
    const settings = toSettings(loaded.values, { inKubernetes });
    await runWith(parts, { cloudProvider, settings, loaded, scrub });
    return 0;
  } catch (error) {
    const problem = error instanceof OptionsError ? `\n${error.message}` : ` ${explain(error)}`;
    const hint = error instanceof OptionsError ? `\nSee "${PROGRAM} ${providerName} -help".` : "";
    stderr(scrub(`${PROGRAM}:${problem}${hint}\n`));
    return 1;
  }
}

async function runWith(
  parts: ProgramParts,
  run: {
    readonly cloudProvider: CloudProvider;
    readonly settings: DaemonSettings;
    readonly loaded: LoadedOptions;
    readonly scrub: Scrub;
  },
): Promise<void> {
  const { cloudProvider, settings, loaded, scrub } = run;
  const { values } = loaded;
  const { env, stdout, exitNow, signals, ensureRelay } = parts;
  const recentLog = createRecentLog();
  const write = (line: string) => {
    recentLog.add(line);
    stdout(line);
  };
  const logger = createLogger({ level: settings.logLevel, scrub, write });
  logger.info(
    {
      version,
      node: process.version,
      pid: process.pid,
      options: redactOptions(optionsWith(cloudProvider), values),
    },
    "starting",
  );
  for (const problem of chainProblems()) logger.warn({ problem }, "what is installed does not fit together");
  for (const warning of settingsWarnings(settings, values)) logger.warn(warning);
  using shells = createCommandShells();
  const daemonParts: DaemonParts = {
    settings,
    cloudProvider,
    providerConfig: Object.fromEntries(cloudProvider.options.map(({ flag }) => [flag, values[flag] ?? ""])),
    env,
    logger,
    options: describeOptions(cloudProvider, loaded),
    recentLog,
    notifier: createServiceNotifier({ notifySocket: env["NOTIFY_SOCKET"], logger }),
    network:
      parts.network?.(settings) ??
      createWorkerNetwork(createIpRoute2({ run: shells.run }), { network: settings.network, logger }),
    ensureRelay,
  };
  const exit = (why: string) => {
    logger.error({ why }, "ending at once");
    exitNow(1);
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await untilSignalled(
      async (signal) => {
        signal.addEventListener("abort", () => {
          const limitMs = settings.shutdownTimeoutMs + EXIT_MARGIN_MS;
          timer = setTimeout(() => exit("the orderly end took too long"), limitMs);
          timer.unref();
        });
        await runDaemon(daemonParts, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
          // Told to end while it was starting: that is no failure.
          logger.info({ err: error }, "ended before it was ready");
        });
      },
      { source: signals, exitNow: () => exit("second signal") },
    );
  } finally {
    clearTimeout(timer);
  }
  logger.info("ended");
}
