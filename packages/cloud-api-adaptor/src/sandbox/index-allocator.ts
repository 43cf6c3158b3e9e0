import { MAX_VXLAN_ID } from "@peerpods/podvm-contract";
import { SandboxError } from "./errors.ts";
import type { Journal, PodNetwork, WaitOptions } from "./ports.ts";

/** How many indices are marked as used on disk, and looked up in the kernel, at once: not every pod costs that much. */
const BLOCK = 64;

export interface PodIndex {
  readonly index: number;
  readonly vni: number;
}

/**
 * Hands out pod indices and with them VNIs (`minVni + index`).
 *
 * Indices only grow, across restarts too, so a VNI comes again only after all of the 24-bit range was used. What a
 * sandbox of the journal holds and what the kernel holds is skipped. After a restart up to a block of numbers is left
 * out, never one used twice.
 */
export class IndexAllocator {
  readonly #journal: Journal;
  readonly #network: PodNetwork;
  readonly #minVni: number;
  /** VNIs, not indices: the first VNI is a setting that may change between two daemons. */
  readonly #held = new Set<number>();
  #next = 0;
  /** Every index below this one counts as used on disk. */
  #reservedUpTo = 0;
  #inUse: ReadonlySet<number> = new Set();
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ journal, network, minVni }: { journal: Journal; network: PodNetwork; minVni: number }) {
    this.#journal = journal;
    this.#network = network;
    this.#minVni = minVni;
  }

  /** Continues where an earlier daemon stopped. `held` is what the sandboxes that still exist were given. */
  async recover(held: Iterable<PodIndex>): Promise<void> {
    this.#next = await this.#journal.loadNextIndex();
    for (const { index, vni } of held) {
      this.#held.add(vni);
      this.#next = Math.max(this.#next, index + 1);
    }
    this.#reservedUpTo = this.#next;
  }

  /**
   * The next free index; held until {@link release}.
   * @throws SandboxError `limit_reached` when no VNI of the range is free.
   */
  async allocate(options: WaitOptions): Promise<PodIndex> {
    const turn = this.#tail.then(() => this.#allocateNow(options));
    this.#tail = turn.catch(() => undefined);
    return await turn;
  }

  release(vni: number): void {
    this.#held.delete(vni);
  }

  async #allocateNow(options: WaitOptions): Promise<PodIndex> {
    options.signal.throwIfAborted();
    const range = MAX_VXLAN_ID - this.#minVni + 1;
    for (let tried = 0; tried < range; tried += 1) {
      const index = this.#next % range;
      const vni = this.#minVni + index;
      await this.#reserve(index, options);
      this.#next = index + 1;
      if (this.#held.has(vni) || this.#inUse.has(vni)) continue;
      this.#held.add(vni);
      return { index, vni };
    }
    throw new SandboxError("limit_reached", `every VNI from ${this.#minVni} to ${MAX_VXLAN_ID} is in use`);
  }

  async #reserve(index: number, options: WaitOptions): Promise<void> {
    // After the range was used up the numbers begin again, and the mark on disk with them.
    const wrapped = index + BLOCK < this.#reservedUpTo;
    if (index < this.#reservedUpTo && !wrapped) return;
    this.#inUse = await this.#network.vnisInUse(options);
    const upTo = index + BLOCK;
    await this.#journal.saveNextIndex(upTo);
    this.#reservedUpTo = upTo;
  }
}
