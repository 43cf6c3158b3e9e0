/**
 * The bench's cloud: a process of its own, so that neither its memory nor its time counts as the daemon's.
 *
 * Usage: node main.ts SOCKET PREFIX PORT. Every VM listens on PORT of an address of its own, PREFIX.128.1 and on.
 */
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { RunInstance, RunningInstance } from "./api.ts";
import { startVm, type BenchVm } from "./vm.ts";

interface Entry extends RunningInstance {
  readonly token: string;
  readonly vm: BenchVm;
}

const [socketPath = "", prefix = "", port = ""] = process.argv.slice(2);
const instances = new Map<string, Entry>();
let count = 0;

async function handle(request: IncomingMessage): Promise<string> {
  if (request.method === "POST")
    return JSON.stringify(await run(JSON.parse(await text(request)) as RunInstance));
  if (request.method === "DELETE") {
    const { searchParams } = new URL(request.url ?? "", "http://cloud");
    await remove(searchParams.get("id") ?? "", searchParams.get("token") ?? "");
    return "";
  }
  return String(instances.size);
}

async function run({ token, userData }: RunInstance): Promise<RunningInstance> {
  const known = [...instances.values()].find((entry) => entry.token === token);
  const { id, address } = known ?? (await make(token, userData));
  return { id, address };
}

async function make(token: string, userData: string): Promise<Entry> {
  count += 1;
  // An address is given again after 32,767 others, when its VM is long gone.
  const number = count % 0x80_00;
  const address = `${prefix}.${128 + (number >> 8)}.${number & 255}`;
  const vm = await startVm(userData, { host: address, port: Number(port) });
  const entry = { id: `vm-${count}`, address, token, vm };
  instances.set(entry.id, entry);
  return entry;
}

async function remove(id: string, token: string): Promise<void> {
  const entry = instances.get(id) ?? [...instances.values()].find((one) => one.token === token);
  if (entry === undefined) return;
  instances.delete(entry.id);
  await entry.vm[Symbol.asyncDispose]();
}

const server = createServer((request, response) => {
  handle(request).then(
    (body) => response.end(body),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(socketPath);
process.once("SIGTERM", () => process.exit(0));
