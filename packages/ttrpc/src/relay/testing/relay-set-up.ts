import { afterEach, expect } from "vitest";
import { createFrameRelay } from "../frame-relay.ts";
import type { FrameRelay, FrameRelayOptions } from "../types.ts";
import { connection } from "./raw-peer.ts";
import type { RawPeer } from "./raw-peer.ts";

const relays: FrameRelay[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay[Symbol.asyncDispose]();
});

/** A relay with a client on it; `connect` gives it another upstream. It is disposed after the test. */
export function setUp(options: FrameRelayOptions = {}) {
  const { peer: client, other } = connection();
  const relay = createFrameRelay(other, options);
  relays.push(relay);
  const connect = (): RawPeer => {
    const upstream = connection();
    relay.connect(upstream.other);
    return upstream.peer;
  };
  return { client, relay, connect };
}

/** Sends one more call and waits for its answer: what was sent before has been dealt with by then. */
export async function roundTrip(client: RawPeer, agent: RawPeer, id: number): Promise<void> {
  client.request(id, "Ping", "still there");
  const request = await agent.nextRequest();
  expect(request.payload).toBe("still there");
  agent.respond(request.id, "yes");
  expect(await client.nextResponse()).toMatchObject({ id, payload: "yes" });
}
