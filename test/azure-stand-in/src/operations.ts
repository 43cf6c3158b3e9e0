import type { Json } from "./resource.ts";

/** Something that goes on after its request was answered. */
interface LongOperation {
  readonly endsAt: number;
  readonly end: () => { readonly code: string; readonly message: string } | undefined;
  status: "InProgress" | "Succeeded" | "Failed" | "Canceled";
  error?: { readonly code: string; readonly message: string };
}

/** Long-running operations, and changes that come by themselves. Time moves only when somebody asks. */
export class Operations {
  readonly #now: () => number;
  readonly #operations = new Map<string, LongOperation>();
  readonly #later: { readonly at: number; readonly act: () => void }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param end what happens at its end; answers with an error when it fails. @returns its id. */
  begin(durationMs: number, end: LongOperation["end"]): string {
    const id = crypto.randomUUID();
    const operation: LongOperation = { endsAt: this.#now() + durationMs, end, status: "InProgress" };
    this.#operations.set(id, operation);
    this.after(durationMs, () => this.#finish(operation));
    return id;
  }

  after(durationMs: number, act: () => void): void {
    this.#later.push({ at: this.#now() + durationMs, act });
  }

  /** Ends one that another has overtaken. */
  preempt(id: string | undefined): void {
    const operation = this.#operations.get(id ?? "");
    if (operation?.status !== "InProgress") return;
    operation.status = "Failed";
    operation.error = {
      code: "OperationPreempted",
      message: "The operation was preempted by a more recent operation.",
    };
  }

  /** Does everything that is due. */
  settle(): void {
    for (;;) {
      const [due] = this.#later.filter(({ at }) => at <= this.#now()).toSorted((a, b) => a.at - b.at);
      if (due === undefined) return;
      this.#later.splice(this.#later.indexOf(due), 1);
      due.act();
    }
  }

  /** Its state as ARM tells it, or `undefined` for one that never was. */
  describe(id: string): Json | undefined {
    const operation = this.#operations.get(id);
    if (operation === undefined) return undefined;
    const { status, error } = operation;
    return { name: id, status, ...(error === undefined ? {} : { error }) };
  }

  #finish(operation: LongOperation): void {
    if (operation.status !== "InProgress") return;
    const error = operation.end();
    operation.status = error === undefined ? "Succeeded" : "Failed";
    if (error !== undefined) operation.error = error;
  }
}
