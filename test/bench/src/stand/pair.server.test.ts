import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { missingGo } from "@peerpods/test-harness";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bareHops } from "./bare-hop.ts";
import { issueIdentities } from "./certificates.ts";
import { createComparator } from "./comparator.ts";
import { startPair } from "./pair.ts";
import { SERVER_NAME } from "./server-name.ts";

let directory: string;
let agentSocket: string;
// Answers with what it is sent.
const echo = createServer((socket: Socket) => void socket.pipe(socket));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pair-"));
  agentSocket = join(directory, "agent.sock");
  echo.listen(agentSocket);
  await once(echo, "listening");
});
afterAll(async () => {
  echo.close();
  await rm(directory, { recursive: true });
});

it("copies in Node, with mutual TLS between the hops", { timeout: 60_000 }, async () => {
  const { [SERVER_NAME]: server, client } = await issueIdentities(directory, [SERVER_NAME, "client"]);
  const options = { name: "node", directory, agentSocket, tls: { server, client } };
  await using pair = await startPair(bareHops(join(directory, "node.log")), options);
  await expectEcho(pair.first.dial);
});

it("copies bare", async ({ skip }) => {
  const noGo = await missingGo();
  skip(noGo !== undefined, noGo);
  const { pipe } = await createComparator(join(directory, "pipe.log"));
  await using pair = await startPair(pipe, { name: "pipe", directory, agentSocket });
  await expectEcho(pair.first.dial);
  // One connection after the other, and two at a time.
  await Promise.all([expectEcho(pair.first.dial), expectEcho(pair.first.dial)]);
});

/** Sends one piece after the other and compares what comes back. */
async function expectEcho(dial: string): Promise<void> {
  const socket = createConnection({ path: dial.slice("unix:".length) });
  const received = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (const size of [1, 1_000, 65_537, 8_000_001]) {
    const piece = randomBytes(size);
    socket.write(piece);
    const back: Buffer[] = [];
    for (let length = 0; length < size; length += back.at(-1)?.length ?? 0) {
      const { value, done = false } = await received.next();
      if (done) throw new Error(`the connection ended after ${length} of ${size} bytes`);
      back.push(value);
    }
    expect(Buffer.concat(back).equals(piece)).toBe(true);
  }
  socket.destroy();
}
