import { Session } from "node:inspector/promises";
import type { Profiler } from "node:inspector/promises";

/** What was executed: one string per source range. */
export type Ranges = ReadonlySet<string>;

/** Reads which parts of our own sources ran, from the engine itself, so that nothing has to be instrumented. */
export class Coverage implements Disposable {
  readonly #session: Session;
  readonly #isOurs: (url: string) => boolean;

  private constructor(session: Session, isOurs: (url: string) => boolean) {
    this.#session = session;
    this.#isOurs = isOurs;
  }

  /** @param isOurs which scripts count, by URL */
  static async start(isOurs: (url: string) => boolean): Promise<Coverage> {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", {
      callCount: true,
      detailed: true,
      allowTriggeredUpdates: false,
    });
    return new Coverage(session, isOurs);
  }

  /** What ran since the last call. */
  async take(): Promise<Ranges> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    return new Set(result.filter(({ url }) => this.#isOurs(url)).flatMap(rangesOf));
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}

function rangesOf({ scriptId, functions }: Profiler.ScriptCoverage): string[] {
  return functions.flatMap(({ ranges }) =>
    ranges
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }) => `${scriptId}:${startOffset}-${endOffset}`),
  );
}
