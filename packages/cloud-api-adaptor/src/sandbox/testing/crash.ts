import type { Interposer } from "./world.ts";

/** Acts of a whole life around each of which a daemon is made to die; `docs/lifecycle.md` tells what is left. */
export const crashMoments = [
  "write",
  "intended",
  "createInstance",
  "setUp",
  "open",
  "close",
  "deleteInstance",
  "tearDown",
  "remove",
  "release",
] as const;

const never = new Promise<never>(() => undefined);

/**
 * Kills a daemon at the n-th moment at which it touches the world: each call of a part has one moment before the act and
 * one after it (the act is done, the daemon never learns). From then on none of its calls does anything or comes back,
 * as if the process were gone.
 */
export class CrashAt {
  readonly #point: number;
  readonly #crashed = Promise.withResolvers<void>();
  #passed = 0;
  #dead = false;
  /** What was about to happen or had just happened. */
  where = "";

  constructor(point: number) {
    this.#point = point;
  }

  /** Resolves at the crash. */
  get crashed(): Promise<void> {
    return this.#crashed.promise;
  }

  get dead(): boolean {
    return this.#dead;
  }

  readonly interpose: Interposer = (part) => {
    const moment = (what: string): Promise<void> => this.#moment(what);
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function" || name === "agentSocketPath") return value;
        return async (...args: unknown[]): Promise<unknown> => {
          await moment(`before ${String(name)}`);
          const result: unknown = await Reflect.apply(value, target, args);
          await moment(`after ${String(name)}`);
          return result;
        };
      },
    });
  };

  async #moment(what: string): Promise<void> {
    if (this.#dead) await never;
    this.#passed += 1;
    if (this.#passed !== this.#point) return;
    this.#dead = true;
    this.where = what;
    this.#crashed.resolve();
    await never;
  }
}
