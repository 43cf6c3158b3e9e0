/** How long ago something was, in its greatest fitting unit; empty when it is not known. */
export function age(sinceMs: number | undefined, nowMs: number = Date.now()): string {
  if (sinceMs === undefined) return "";
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
