import { Ec2Error } from "../ec2-error.ts";
import { tagsOf, without, type Query } from "../query.ts";
import type { State } from "../state.ts";
import { childOf, parseAnswer, textOf } from "../xml.ts";
import { oncePerToken } from "./tokens.ts";

/** CreateNetworkInterface: once for each token. */
export async function createNetworkInterface(state: State, query: Query): Promise<string> {
  const id = await oncePerToken(state, { action: "CreateNetworkInterface", query }, async () => {
    const answer = parseAnswer(
      await state.moto.call("CreateNetworkInterface", without(query, "TagSpecification")),
    );
    const made = textOf(childOf(answer, "networkInterface"), "networkInterfaceId");
    await state.createTags(made, tagsOf(query, "network-interface"));
    return made;
  });
  const listed = await state.moto.call("DescribeNetworkInterfaces", { "NetworkInterfaceId.1": id });
  const [, card = ""] =
    /<networkInterfaceSet>\s*<item>(.*)<\/item>\s*<\/networkInterfaceSet>/s.exec(listed) ?? [];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<CreateNetworkInterfaceResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><networkInterface>${card}</networkInterface><requestId>request-id</requestId></CreateNetworkInterfaceResponse>`;
}

/** AttachNetworkInterface: an interface has one place at a time. */
export async function attachNetworkInterface(state: State, query: Query): Promise<string> {
  const [card] = await state.interfaces({ "NetworkInterfaceId.1": query["NetworkInterfaceId"] ?? "" });
  if (textOf(childOf(card, "attachment"), "attachmentId") !== "")
    throw new Ec2Error("InvalidNetworkInterface.InUse", `Interface ${query["NetworkInterfaceId"]} is in use`);
  const [instance] = await state.instances({ "InstanceId.1": query["InstanceId"] ?? "" });
  const running = textOf(childOf(instance, "instanceState"), "name");
  if (running !== "running")
    throw new Ec2Error("IncorrectInstanceState", `Instance ${query["InstanceId"]} is ${running}`);
  return await state.moto.call("AttachNetworkInterface", query);
}

/** ModifyNetworkInterfaceAttribute: moto does not keep whether an interface goes with its instance. */
export async function modifyNetworkInterface(state: State, query: Query): Promise<string> {
  const id = query["NetworkInterfaceId"] ?? "";
  const [card] = await state.interfaces({ "NetworkInterfaceId.1": id });
  const attachment = textOf(childOf(card, "attachment"), "attachmentId");
  if (attachment === "" || attachment !== query["Attachment.AttachmentId"])
    throw new Ec2Error("InvalidAttachmentID.NotFound", `The attachment of ${id} does not exist`);
  if (query["Attachment.DeleteOnTermination"] === "true") state.deletedWithInstance.add(attachment);
  else state.deletedWithInstance.delete(attachment);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ModifyNetworkInterfaceAttributeResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><requestId>request-id</requestId><return>true</return></ModifyNetworkInterfaceAttributeResponse>`;
}

/** DeleteNetworkInterface: not while it is attached; its tags go with it. */
export async function deleteNetworkInterface(state: State, query: Query): Promise<string> {
  const id = query["NetworkInterfaceId"] ?? "";
  const [card] = await state.interfaces({ "NetworkInterfaceId.1": id });
  if (textOf(childOf(card, "attachment"), "attachmentId") !== "")
    throw new Ec2Error("InvalidNetworkInterface.InUse", `Interface ${id} is in use`);
  const answer = await state.moto.call("DeleteNetworkInterface", query);
  await state.forgetTags([id]);
  return answer;
}
