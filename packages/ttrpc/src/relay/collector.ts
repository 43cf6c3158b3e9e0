import { setFlagsFromString } from "node:v8";
import { returnMemoryWhenIdle } from "./idle-memory.ts";

/** Growth of heap and buffers, in percent of what lives, before V8 collects everything. Its own choice is about 100. */
const GROWTH_PERCENT = 400;

/**
 * Sets this process's garbage collector up for relaying: call it first thing in the program file of a relay.
 *
 * Every chunk that is read is a buffer outside V8's heap that dies young, which a cheap scavenge finds. V8 counts it
 * towards the limit of the whole heap, though: with a small heap each 10 MB of payload would cause a full collection,
 * which costs more than relaying them. What lives is a few MB, so the limit stays at some tens of MB. What has gathered
 * below it is returned when the process is idle.
 */
export function tuneCollectorForRelaying(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  returnMemoryWhenIdle();
}
