import type { Clock } from "@peerpods/cloud-providers";

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** First pause after a failure and the longest one; doubled from one to the other. Default 0.5 s and 5 min. */
  readonly backoffMs?: readonly [number, number];
  /** 0 to 1; part of each pause that is left to chance. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Keys that wait to be worked on. A key is in work at most once; added meanwhile, it comes again afterwards; added twice,
 * it is worked on once. Each key has a backoff of its own, so a failing one holds up no other.
 */
export interface WorkQueue {
  /** Puts a key in, or brings a waiting retry forward. */
  add(key: string): void;
  /** Puts a key in after its own backoff, or after `minMs` if that is longer. */
  retry(key: string, minMs?: number): void;
  /** Ends the backoff of a key: its next failure is its first. */
  forget(key: string): void;
  /** Keys ready to be worked on. */
  readonly depth: number;
  /** Keys in work, with the time each has been. */
  inWork(): readonly { readonly key: string; readonly forMs: number }[];
  /**
   * Works with `workers` workers until the signal aborts and what is in work has ended. `work` must not throw.
   */
  run(
    work: (key: string) => Promise<void>,
    options: { readonly workers: number; readonly signal: AbortSignal },
  ): Promise<void>;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, backoffMs = [500, 300_000], random = Math.random } = options;
  /** Insertion order is the order of work. */
  const ready = new Set<string>();
  const working = new Map<string, number>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const waiting = new Map<string, AbortController>();
  const idle: (() => void)[] = [];

  function add(key: string): void {
    waiting.get(key)?.abort();
    waiting.delete(key);
    if (working.has(key)) {
      again.add(key);
      return;
    }
    ready.add(key);
    idle.shift()?.();
  }

  function retry(key: string, minMs = 0): void {
    const count = failures.get(key) ?? 0;
    failures.set(key, count + 1);
    const longest = Math.min(backoffMs[0] * 2 ** Math.min(count, 30), backoffMs[1]);
    const pauseMs = Math.max(minMs, longest * (0.75 + random() / 4));
    waiting.get(key)?.abort();
    const timer = new AbortController();
    waiting.set(key, timer);
    clock.sleep(pauseMs, { signal: timer.signal }).then(
      () => {
        if (waiting.get(key) === timer) add(key);
      },
      () => undefined,
    );
  }

  async function next(signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      for (const key of ready) {
        ready.delete(key);
        working.set(key, clock.now());
        return key;
      }
      await new Promise<void>((resolve) => void idle.push(resolve));
    }
    return undefined;
  }

  return {
    add,
    retry,
    forget: (key) => void failures.delete(key),
    get depth() {
      return ready.size;
    },
    inWork: () => [...working].map(([key, since]) => ({ key, forMs: clock.now() - since })),
    async run(work, { workers, signal }) {
      const wakeAll = () => {
        for (const wake of idle.splice(0)) wake();
      };
      signal.addEventListener("abort", wakeAll, { once: true });
      const worker = async () => {
        for (let key = await next(signal); key !== undefined; key = await next(signal)) {
          try {
            await work(key);
          } finally {
            working.delete(key);
            if (again.delete(key)) add(key);
          }
        }
      };
      await Promise.all(Array.from({ length: workers }, worker));
      for (const timer of waiting.values()) timer.abort();
      waiting.clear();
    },
  };
}
