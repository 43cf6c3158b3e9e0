import type { FuzzTarget } from "../target.ts";
import { createContainer } from "./calls/create-container.ts";
import { hypervisorSocket } from "./calls/hypervisor.ts";
import { relayOpen } from "./calls/relay-open.ts";
import { apfConfig, cloudConfig, cloudVolumes, initdata } from "./documents/documents.ts";
import { journal, localRecord } from "./documents/records.ts";
import { metadata } from "./metadata.ts";
import { options } from "./options.ts";
import { client } from "./ttrpc/client.ts";
import { envelopes } from "./ttrpc/envelopes.ts";
import { frames } from "./ttrpc/frames.ts";
import { relay } from "./ttrpc/relay.ts";
import { server } from "./ttrpc/server.ts";

/** Everything that is fuzzed. To add one: a file in this folder, and a line here. */
export const targets: readonly FuzzTarget[] = [
  frames,
  envelopes,
  server,
  client,
  relay,
  hypervisorSocket,
  relayOpen,
  createContainer,
  apfConfig,
  cloudConfig,
  initdata,
  cloudVolumes,
  metadata,
  journal,
  localRecord,
  options,
];
