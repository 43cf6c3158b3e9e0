import { missingGo } from "@peerpods/test-harness";

/** For sections that make links, namespaces or firewall rules. */
export function missingRoot(): Promise<string | undefined> {
  return Promise.resolve(
    process.geteuid?.() === 0
      ? undefined
      : "needs root, for network namespaces and tunnels: run the bench as root",
  );
}

/** For sections that compare lines to an agent. */
export async function missingForLines(): Promise<string | undefined> {
  const withoutGo = await missingGo();
  return (
    (withoutGo === undefined
      ? undefined
      : "needs Go for the comparator: install the Go toolchain (1.22 or later)") ?? (await missingRoot())
  );
}
