/** The latest lines of a log, in memory. */
export interface RecentLog {
  add(line: string): void;
  /** Oldest first, without newlines. */
  lines(): readonly string[];
}

/**
 * Keeps the end of a log for those who ask over the control socket, wherever standard output goes.
 * @param maxBytes of all lines together. A longer line is cut to a tenth of it. Default 512 KiB.
 */
export function createRecentLog(maxBytes = 512 * 1024): RecentLog {
  const kept: string[] = [];
  let bytes = 0;
  return {
    add: (text) => {
      const line = text.trimEnd().slice(0, Math.floor(maxBytes / 10));
      kept.push(line);
      bytes += Buffer.byteLength(line);
      let dropped = 0;
      while (bytes > maxBytes) bytes -= Buffer.byteLength(kept[dropped++] ?? "");
      if (dropped > 0) kept.splice(0, dropped);
    },
    lines: () => kept,
  };
}
