import { Ec2Error } from "../ec2-error.ts";
import { listOf, type Query } from "../query.ts";
import type { State } from "../state.ts";
import { childOf, itemsOf, textOf, type Xml } from "../xml.ts";

/** TerminateInstances: interfaces and volumes that go with the instance go, and so do their tags. */
export async function terminateInstances(state: State, query: Query): Promise<string> {
  const ids = listOf(query, "InstanceId");
  for (const id of ids)
    if (!/^i-[0-9a-f]{8,17}$/.test(id))
      throw new Ec2Error("InvalidInstanceID.Malformed", `Invalid id: "${id}"`);
  const found: Xml[] = [];
  for (const id of ids) found.push(...(await state.instances({ "InstanceId.1": id })));
  const answer = await state.moto.call("TerminateInstances", query);
  for (const instance of found) await removeParts(state, instance);
  return answer;
}

async function removeParts(state: State, instance: Xml): Promise<void> {
  const gone: string[] = [];
  for (const card of itemsOf(instance, "networkInterfaceSet")) {
    const id = textOf(card, "networkInterfaceId");
    const attachment = textOf(childOf(card, "attachment"), "attachmentId");
    const goes = state.deletedWithInstance.has(attachment);
    if (goes) gone.push(id);
    // moto deletes some by itself, and a second termination finds all of them named, but gone.
    const found = await state.interfaces({ "Filter.1.Name": "network-interface-id", "Filter.1.Value.1": id });
    if (found.length === 0) continue;
    await disassociate(state, id);
    await state.moto.call("DetachNetworkInterface", { AttachmentId: attachment, Force: "true" });
    if (goes) await state.moto.call("DeleteNetworkInterface", { NetworkInterfaceId: id });
  }
  for (const device of itemsOf(instance, "blockDeviceMapping")) {
    const ebs = childOf(device, "ebs");
    if (textOf(ebs, "deleteOnTermination") === "true") gone.push(textOf(ebs, "volumeId"));
  }
  await state.forgetTags(gone);
}

async function disassociate(state: State, interfaceId: string): Promise<void> {
  const addresses = await state.addresses({});
  for (const address of addresses)
    if (textOf(address, "networkInterfaceId") === interfaceId && textOf(address, "associationId") !== "")
      await state.moto.call("DisassociateAddress", { AssociationId: textOf(address, "associationId") });
}
