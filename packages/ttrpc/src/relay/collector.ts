import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Growth of heap and buffers, in percent of what lives, before V8 collects everything. Its own choice is about 100. */
const GROWTH_PERCENT = 400;
/** How often an idle process looks whether there is something to collect. */
const INTERVAL_MS = 5_000;
/** A process that computed less than this part of the time since then is idle. */
const IDLE_SHARE = 0.05;
/** Computing time since the last collection that has made garbage worth collecting. */
const WORTH_COLLECTING_US = 200_000;

/**
 * Sets this process's garbage collector up for relaying: call it first thing in the program file of a relay.
 *
 * Every chunk that is read is a buffer outside V8's heap that dies young, which a cheap scavenge finds. V8 counts it
 * towards the limit of the whole heap, though: with a small heap each 10 MB of payload would cause a full collection,
 * which costs more than relaying them. What lives is a few MB, so the limit stays at some tens of MB. What has gathered
 * below it is collected when the process is idle, since V8 by itself never looks at a process that allocates nothing.
 */
export function tuneCollectorForRelaying(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let cpu = process.cpuUsage();
  let computedUs = 0;
  const collectWhenIdle = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    computedUs += user + system;
    const isIdle = user + system < IDLE_SHARE * INTERVAL_MS * 1000;
    if (!isIdle || computedUs < WORTH_COLLECTING_US) return;
    collect();
    computedUs = 0;
    cpu = process.cpuUsage();
  };
  setInterval(collectWhenIdle, INTERVAL_MS).unref();
}
