/** Runs all tasks side by side, waits for every one of them, and returns what failed. */
export async function failuresOf(tasks: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const results = await Promise.allSettled(tasks);
  return results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
}
