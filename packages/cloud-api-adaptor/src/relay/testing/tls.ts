import { loadX509 } from "../../pki/load-x509.ts";
import type { KeyPair } from "../../pki/x509.ts";
import type { RelayTls } from "../../sandbox/relay-port.ts";

export const SERVER_NAME = "podvm-test-00000000";

export interface TestTls {
  readonly relay: RelayTls;
  readonly server: KeyPair & { readonly ca: string };
}

/** Material of both ends; another call gives another authority. */
export async function makeTestTls(serverName: string = SERVER_NAME): Promise<TestTls> {
  const { makeCertificate } = await loadX509();
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + 3_600_000);
  const dates = { notBefore, notAfter, organization: "test" };
  const ca = await makeCertificate({ ...dates, usage: "server", authority: true });
  const server = await makeCertificate({ ...dates, name: serverName, usage: "server", authority: false }, ca);
  const client = await makeCertificate({ ...dates, usage: "client", authority: false });
  return {
    relay: { ca: ca.cert, cert: client.cert, key: client.key, serverName },
    server: { ...server, ca: client.cert },
  };
}
