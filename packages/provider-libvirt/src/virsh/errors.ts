import { ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";
import type { RunResult } from "./run.ts";

/** What virsh did not do, beyond the codes of the contract. */
export type VirshProblem = "exists" | "not_running" | "unsupported_flag";

/** A command of virsh that failed. `problem` says which state of the object it met. */
export class VirshError extends ProviderError {
  readonly problem: VirshProblem | undefined;

  constructor(code: ProviderErrorCode, message: string, problem?: VirshProblem) {
    super(code, message);
    this.problem = problem;
  }
}

/** Whether a command failed because of this state of its object. */
export function isProblem(thrown: unknown, problem: VirshProblem): boolean {
  return thrown instanceof VirshError && thrown.problem === problem;
}

/** First match wins, so what concerns the connection comes first: it may stand behind any other sentence. */
const meanings: readonly (readonly [RegExp, ProviderErrorCode, VirshProblem?])[] = [
  [/max_queued limit|too many active clients/i, "throttled"],
  [
    /authentication (?:failed|cancelled|unavailable)|host key verification failed|permission denied \((?:publickey|password)|access denied|certificate (?:is not|validation|has expired)/i,
    "unauthorized",
  ],
  [/no connection driver available|invalid connection uri|unable to parse uri/i, "invalid_config"],
  [/failed to connect to the hypervisor|cannot recv data|connection reset|broken pipe/i, "unavailable"],
  [/end of file while reading|client socket is closed|keepalive|connection refused/i, "unavailable"],
  [/cannot acquire state change lock|has asynchronous jobs running|being created/i, "unavailable"],
  [/storage pool '.*' is not active|network '.*' is not active/i, "invalid_config"],
  [/already exists|already active|is already defined/i, "conflict", "exists"],
  [/domain is not running|domain is not active/i, "conflict", "not_running"],
  [/unsupported flags|not supported by the connection driver/i, "invalid_request", "unsupported_flag"],
  [
    /failed to get (?:domain|vol|pool|network)|(?:domain|storage volume|storage pool|network) not found|no (?:domain|storage vol|network) with matching/i,
    "not_found",
  ],
  [/cannot allocate memory|cannot set up guest memory|out of memory/i, "no_capacity"],
  [/no space left|disk quota exceeded/i, "quota_exceeded"],
  [/invalid argument|xml error|unsupported configuration|permission denied/i, "invalid_config"],
];

/** The one place where what virsh says becomes an error of the contract. */
export function virshError(command: string, { stderr, failure }: RunResult): VirshError {
  const doing = `virsh ${command}`;
  if (failure?.kind === "missing")
    return new VirshError(
      "invalid_config",
      `${doing}: there is no virsh; install the package libvirt-clients`,
    );
  if (failure?.kind === "timeout")
    return new VirshError("unavailable", `${doing}: libvirt has not answered in time`);
  const said = stderr
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim())
    .filter((line) => line !== "")
    .join(": ");
  const text = `${doing}: ${(said || failure?.message || "failed without a message").slice(0, 1_000)}`;
  const [, code, problem] = meanings.find(([pattern]) => pattern.test(said)) ?? [
    undefined,
    "internal" as const,
  ];
  return new VirshError(code, text, problem);
}
