import type * as x509 from "./x509.ts";

/** Loads the X.509 library when it is first needed. The daemon calls it once it is ready, before a pod waits for it. */
export async function loadX509(): Promise<typeof x509> {
  return await import("./x509.ts");
}
