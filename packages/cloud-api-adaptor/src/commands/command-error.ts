import { ConnectError } from "@connectrpc/connect";

/** A failure that a person is told in one line of cause and one of remedy, with the exit code of the program. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly remedy: string;
  readonly exitCode: number;

  constructor(message: string, options: { remedy: string; exitCode?: number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The chain of causes as one line, without the status codes that ttrpc puts in front. */
export function causeLine(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const message = at instanceof ConnectError ? at.rawMessage : at.message;
    if (!parts.some((part) => part.includes(message))) parts.push(message);
  }
  return parts.length > 0 ? parts.join(": ") : String(error);
}
