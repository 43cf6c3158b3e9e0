/**
 * A hop that does nothing but copy what comes, in Node: what Node's streams and TLS cost before anything is read or
 * decided. It has no back-pressure either; what is under way is limited by the callers of the load.
 *
 * Usage: node main.ts --listen ADDR --dial ADDR [--listen-tls DIR] [--dial-tls DIR]. ADDR is unix:PATH or
 * tcp:HOST:PORT; a directory holds ca.crt, tls.crt and tls.key.
 */
import { readFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { parseArgs } from "node:util";
import { SERVER_NAME } from "../stand/server-name.ts";

const { values } = parseArgs({
  options: {
    listen: { type: "string", default: "" },
    dial: { type: "string", default: "" },
    "listen-tls": { type: "string" },
    "dial-tls": { type: "string" },
  },
});
const listenIdentity = identityIn(values["listen-tls"]);
const dialIdentity = identityIn(values["dial-tls"]);
const target = addressOf(values.dial);

const server =
  listenIdentity === undefined
    ? createServer({ noDelay: true }, carry)
    : createTlsServer(
        { ...listenIdentity, requestCert: true, rejectUnauthorized: true, noDelay: true },
        carry,
      );
server.listen(addressOf(values.listen));
process.once("SIGTERM", () => process.exit(0));

function carry(near: Socket): void {
  const far =
    dialIdentity === undefined
      ? createConnection({ ...target, noDelay: true })
      : connectTls({ ...target, ...dialIdentity, servername: SERVER_NAME }).setNoDelay(true);
  copy(near, far);
  copy(far, near);
}

function copy(from: Socket, to: Socket): void {
  from.on("data", (bytes) => void to.write(bytes));
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
}

function addressOf(text: string): { path: string } | { host: string; port: number } {
  const [network, where = "", port = ""] = text.split(":");
  return network === "unix" ? { path: where } : { host: where, port: Number(port) };
}

function identityIn(directory: string | undefined): { ca: string; cert: string; key: string } | undefined {
  if (directory === undefined) return undefined;
  const read = (name: string): string => readFileSync(join(directory, name), "utf8");
  return { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") };
}
