import { Ec2Error } from "../ec2-error.ts";
import type { Query } from "../query.ts";
import type { State } from "../state.ts";
import { parseAnswer, textOf } from "../xml.ts";

/** AllocateAddress: what is allocated belongs to the account, and shows so on the instance. */
export async function allocateAddress(state: State, query: Query): Promise<string> {
  const answer = await state.moto.call("AllocateAddress", query);
  state.allocated.add(textOf(parseAnswer(answer), "publicIp"));
  return answer;
}

/** ReleaseAddress: not while it is associated; its tags go with it. */
export async function releaseAddress(state: State, query: Query): Promise<string> {
  const id = query["AllocationId"] ?? "";
  const [address] = await state.addresses({ "AllocationId.1": id });
  if (textOf(address, "associationId") !== "")
    throw new Ec2Error("InvalidIPAddress.InUse", `Address ${textOf(address, "publicIp")} is in use.`);
  const answer = await state.moto.call("ReleaseAddress", query);
  await state.forgetTags([id]);
  return answer;
}
