/** Loads the X.509 library when it is first needed. The daemon calls it once it is ready, before a pod waits for it. */
export async function loadX509(): Promise<typeof import("./x509.ts")> {
  return await import("./x509.ts");
}
