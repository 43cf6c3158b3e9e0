import { once } from "node:events";
import { execa } from "execa";
import type { Namespaces } from "./namespaces.ts";

// Both programs run in the namespaces under test, where only what Node has built in is sure to exist.
const server = `
  const tcp = require("node:net").createServer((socket) => socket.pipe(socket));
  const udp = require("node:dgram").createSocket("udp4", (data, { port, address }) => udp.send(data, port, address));
  udp.bind(7000, "0.0.0.0", () => tcp.listen(7000, "0.0.0.0", () => console.log("listening")));
`;

const clients = {
  tcp: `
    const [address, bytes] = process.argv.slice(1);
    const socket = require("node:net").connect(7000, address, () => socket.end(Buffer.alloc(Number(bytes), 120)));
    let received = 0;
    socket.on("data", (data) => { received += data.length; });
    socket.on("end", () => console.log(received));
    socket.setTimeout(10_000, () => process.exit(1));
  `,
  // One datagram: up to the MTU it is one packet that must not be fragmented, beyond it the sender fragments.
  udp: `
    const [address, bytes] = process.argv.slice(1);
    const socket = require("node:dgram").createSocket("udp4", (data) => { console.log(data.length); process.exit(); });
    socket.send(Buffer.alloc(Number(bytes), 120), 7000, address);
    setTimeout(() => process.exit(1), 5_000);
  `,
};

interface Exchange {
  readonly protocol: "tcp" | "udp";
  /** Namespace of each side. */
  readonly client: string;
  readonly server: string;
  /** The server's address. */
  readonly address: string;
  readonly bytes: number;
}

/** Sends bytes from one namespace to a server in another, which sends them back. Returns how many came back. */
export async function exchange(
  namespaces: Namespaces,
  { protocol, client, server: serverLabel, address, bytes }: Exchange,
): Promise<number> {
  const enter = [`--net=${namespaces.path(serverLabel)}`, process.execPath, "-e", server];
  const echo = execa("nsenter", enter, { reject: false, forceKillAfterDelay: 1000 });
  try {
    await once(echo.stdout, "data");
    const program = [process.execPath, "-e", clients[protocol], "--", address, String(bytes)];
    return Number(await namespaces.run(client, program));
  } finally {
    echo.kill();
    await echo;
  }
}

/** How many IP fragments the namespace's kernel has made so far. */
export async function fragmentsMade(namespaces: Namespaces, label: string): Promise<number> {
  const [names = "", values = ""] = (await namespaces.run(label, ["cat", "/proc/net/snmp"]))
    .split("\n")
    .filter((line) => line.startsWith("Ip:"));
  return Number(values.split(" ")[names.split(" ").indexOf("FragCreates")]);
}
