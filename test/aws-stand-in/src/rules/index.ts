import type { Query } from "../query.ts";
import { below, without } from "../query.ts";
import type { State } from "../state.ts";
import { allocateAddress, releaseAddress } from "./addresses.ts";
import {
  attachNetworkInterface,
  createNetworkInterface,
  deleteNetworkInterface,
  modifyNetworkInterface,
} from "./interfaces.ts";
import { corrected, describe } from "./listings.ts";
import { runInstances } from "./run-instances.ts";
import { terminateInstances } from "./terminate.ts";
import { attachVolume, deleteVolume } from "./volumes.ts";

const rules: Readonly<Record<string, (state: State, query: Query) => Promise<string>>> = {
  AllocateAddress: allocateAddress,
  AttachNetworkInterface: attachNetworkInterface,
  AttachVolume: attachVolume,
  CreateLaunchTemplate: createLaunchTemplate,
  CreateNetworkInterface: createNetworkInterface,
  DeleteNetworkInterface: deleteNetworkInterface,
  DeleteVolume: deleteVolume,
  ModifyNetworkInterfaceAttribute: modifyNetworkInterface,
  ReleaseAddress: releaseAddress,
  RunInstances: runInstances,
  TerminateInstances: terminateInstances,
};

/** Carries out a call that has passed all checks of form. @throws Ec2Error the refusal. */
export async function act(state: State, action: string, query: Query): Promise<string> {
  const rule = rules[action];
  const answer = rule === undefined ? await describe(state, action, query) : await rule(state, query);
  return corrected(state, answer);
}

async function createLaunchTemplate(state: State, query: Query): Promise<string> {
  const answer = await state.moto.call("CreateLaunchTemplate", without(query, "ClientToken"));
  const cards = below(query, "LaunchTemplateData.NetworkInterface.");
  if (Object.keys(cards).length > 0)
    state.templates.set(
      query["LaunchTemplateName"] ?? "",
      Object.fromEntries(Object.entries(cards).map(([key, value]) => [`NetworkInterface.${key}`, value])),
    );
  return answer;
}
