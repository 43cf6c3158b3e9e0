import { Ec2Error } from "../ec2-error.ts";
import { below, structuresOf, tagsOf, without, type Query } from "../query.ts";
import type { State } from "../state.ts";
import { itemsOf, parseAnswer, textOf, type Xml } from "../xml.ts";
import { oncePerToken } from "./tokens.ts";

/** RunInstances: judged as EC2 judges it, made once for each token, with all tags. */
export async function runInstances(state: State, query: Query): Promise<string> {
  const request = withInterfaces(fromTemplate(state, query));
  checkUserData(request);
  checkTags(query);
  await checkReferences(state, request);
  await checkConfidential(state, request);
  await checkCapacity(state, request);
  if (request["DryRun"] === "true")
    throw new Ec2Error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
  const id = await oncePerToken(state, { action: "RunInstances", query }, () => run(state, request));
  const listed = await state.moto.call("DescribeInstances", { "InstanceId.1": id });
  const [, reservation = ""] =
    /<reservationSet>\s*<item>(.*)<\/item>\s*<\/reservationSet>/s.exec(listed) ?? [];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<RunInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15">${reservation}<requestId>request-id</requestId></RunInstancesResponse>`;
}

async function run(state: State, request: Query): Promise<string> {
  const answer = parseAnswer(await state.moto.call("RunInstances", without(request, "CpuOptions")));
  const [instance] = itemsOf(answer, "instancesSet");
  const id = textOf(instance, "instanceId");
  if (request["CpuOptions.AmdSevSnp"] === "enabled") state.confidential.add(id);
  if (state.invisibleReads > 0) state.hidden.set(id, state.invisibleReads);
  const asked = structuresOf(request, "NetworkInterface");
  for (const [index, card] of itemsOf(instance, "networkInterfaceSet").entries()) {
    await state.createTags(textOf(card, "networkInterfaceId"), tagsOf(request, "network-interface"));
    const goes = asked[index]?.["DeleteOnTermination"] ?? "true";
    if (goes === "true") state.deletedWithInstance.add(attachmentOf(card));
  }
  return id;
}

function attachmentOf(card: Xml): string {
  const attachment = card["attachment"];
  return typeof attachment === "object" && !Array.isArray(attachment)
    ? textOf(attachment as Xml, "attachmentId")
    : "";
}

/** moto leaves out the interfaces of a launch template. */
function fromTemplate(state: State, query: Query): Query {
  const name = query["LaunchTemplate.LaunchTemplateName"];
  const cards = name === undefined ? undefined : state.templates.get(name);
  const own = Object.keys(query).some((key) => /^(NetworkInterface\.|SubnetId$)/.test(key));
  return cards === undefined || own ? query : { ...query, ...cards };
}

/** moto deletes the first interface with the instance only where it was asked for by itself. */
function withInterfaces(query: Query): Query {
  const { SubnetId } = query;
  if (SubnetId === undefined)
    return "NetworkInterface.1.SubnetId" in query
      ? { "NetworkInterface.1.DeleteOnTermination": "true", ...query }
      : query;
  const groups = Object.entries(below(query, "SecurityGroupId."));
  return {
    ...without(query, "SubnetId", "SecurityGroupId"),
    "NetworkInterface.1.DeviceIndex": "0",
    "NetworkInterface.1.SubnetId": SubnetId,
    "NetworkInterface.1.DeleteOnTermination": "true",
    ...Object.fromEntries(groups.map(([key, id]) => [`NetworkInterface.1.SecurityGroupId.${key}`, id])),
  };
}

const MAX_USER_DATA = 16_384;

function checkUserData({ UserData = "" }: Query): void {
  const raw = Buffer.from(UserData, "base64");
  if (raw.toString("base64") !== UserData)
    throw new Ec2Error("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data");
  if (raw.byteLength > MAX_USER_DATA)
    throw new Ec2Error("InvalidParameterValue", "User data is limited to 16384 bytes");
}

function checkTags(query: Query): void {
  for (const { ResourceType = "" } of structuresOf(query, "TagSpecification")) {
    const tags = tagsOf(query, ResourceType);
    if (tags.length > 50) throw new Ec2Error("TagLimitExceeded", "More than 50 tags specified");
    if (new Set(tags.map(({ key }) => key)).size < tags.length)
      throw new Ec2Error("InvalidParameterValue", "Duplicate tag keys");
    for (const { key, value } of tags)
      if (/^aws:/i.test(key) || key.length > 128 || value.length > 256)
        throw new Ec2Error("InvalidParameterValue", `Tag ${key} is not valid`);
  }
}

/** What moto looks at only when it really makes an instance, or answers unlike EC2. */
async function checkReferences(state: State, request: Query): Promise<void> {
  // None of these go away, and each look costs a while.
  const moto = { call: (action: string, query: Query) => onceSeen(state, action, query) };
  const { ImageId, InstanceType, KeyName, SubnetId } = request;
  const profile = request["IamInstanceProfile.Name"];
  if (ImageId !== undefined) await moto.call("DescribeImages", { "ImageId.1": ImageId });
  if (InstanceType !== undefined)
    await moto.call("DescribeInstanceTypes", { "InstanceType.1": InstanceType }).catch(() => {
      throw new Ec2Error("InvalidParameterValue", `Invalid value '${InstanceType}' for InstanceType.`);
    });
  if (KeyName !== undefined) await moto.call("DescribeKeyPairs", { "KeyName.1": KeyName });
  const cards = structuresOf(request, "NetworkInterface");
  for (const subnet of [SubnetId, ...cards.map((card) => card["SubnetId"])])
    if (subnet !== undefined) await moto.call("DescribeSubnets", { "SubnetId.1": subnet });
  const groups = [...Object.values(below(request, "SecurityGroupId."))];
  for (const card of cards) groups.push(...Object.values(below(card, "SecurityGroupId.")));
  for (const group of groups) await moto.call("DescribeSecurityGroups", { "GroupId.1": group });
  const template = request["LaunchTemplate.LaunchTemplateName"];
  if (template !== undefined)
    await moto.call("DescribeLaunchTemplates", { "LaunchTemplateName.1": template });
  if (profile !== undefined)
    throw new Ec2Error("InvalidParameterValue", `Invalid IAM Instance Profile name ${profile}`);
}

async function onceSeen(state: State, action: string, query: Query): Promise<string> {
  const key = JSON.stringify([action, query]);
  const answer = state.seen.get(key) ?? (await state.moto.call(action, query));
  state.seen.set(key, answer);
  return answer;
}

async function checkConfidential(state: State, request: Query): Promise<void> {
  if (request["CpuOptions.AmdSevSnp"] !== "enabled") return;
  const answer = await onceSeen(state, "DescribeInstanceTypes", {
    "InstanceType.1": request["InstanceType"] ?? "",
  });
  if (!answer.includes("amd-sev-snp"))
    throw new Ec2Error(
      "InvalidParameterCombination",
      `AMD SEV-SNP is not supported on instance type ${request["InstanceType"]}`,
    );
}

async function checkCapacity(state: State, request: Query): Promise<void> {
  if (state.exhausted.size === 0) return;
  const subnet = request["SubnetId"] ?? request["NetworkInterface.1.SubnetId"] ?? "";
  const answer = parseAnswer(await state.moto.call("DescribeSubnets", { "SubnetId.1": subnet }));
  const zone = textOf(itemsOf(answer, "subnetSet")[0], "availabilityZone");
  const type = request["InstanceType"] ?? "";
  if (!state.exhausted.has(`${type} ${zone}`)) return;
  throw new Ec2Error(
    "InsufficientInstanceCapacity",
    `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}).`,
    500,
  );
}
