import type { Held, Sample } from "./sample.ts";

/** Growth that counts as flat: collectors and allocators breathe. */
const FLAT_MIB = 8;
const FLAT_DESCRIPTORS = 2;

/**
 * What grew between the middle third of the samples and the last, one line each; empty when everything is flat. Compared
 * are the least values, since garbage that happens to lie around is no growth; the first third is warming up.
 */
export function growth(samples: readonly Sample[]): readonly string[] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const [early, late] = [samples.slice(-2 * third, -third), samples.slice(-third)];
  return (["daemon", "relay"] as const).flatMap((program) => {
    const least = (part: readonly Sample[], key: keyof Held): number =>
      Math.min(...part.map((s) => s[program][key]));
    const describe = (key: keyof Held, unit: string, limit: number): string[] => {
      const [before, after] = [least(early, key), least(late, key)];
      return after - before > limit
        ? [
            `${program}: ${before.toFixed(0)} ${unit} in the middle, ${after.toFixed(0)} in the end (${limit} more are allowed)`,
          ]
        : [];
    };
    return [
      ...describe("pssMiB", "MiB", FLAT_MIB),
      ...describe("descriptors", "descriptors", FLAT_DESCRIPTORS),
    ];
  });
}
