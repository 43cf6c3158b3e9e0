import { Ec2Error } from "../ec2-error.ts";
import type { Query } from "../query.ts";
import type { State } from "../state.ts";
import { childOf, textOf } from "../xml.ts";

/** AttachVolume: free volumes only, of the instance's zone, under a name that is free. */
export async function attachVolume(state: State, query: Query): Promise<string> {
  const { VolumeId = "", InstanceId = "", Device = "" } = query;
  const [volume] = await state.volumes({ "VolumeId.1": VolumeId });
  const [instance] = await state.instances({ "InstanceId.1": InstanceId });
  if (textOf(volume, "status") !== "available")
    throw new Ec2Error("VolumeInUse", `${VolumeId} is already attached to an instance`);
  if (textOf(volume, "availabilityZone") !== textOf(childOf(instance, "placement"), "availabilityZone"))
    throw new Ec2Error(
      "InvalidVolume.ZoneMismatch",
      `The volume '${VolumeId}' is not in the same availability zone as instance '${InstanceId}'`,
    );
  if (!/^\/dev\/(sd[a-z][1-9]?\d?|xvd([b-z]|[bc][a-z]))$/.test(Device))
    throw new Ec2Error("InvalidParameterValue", `Value (${Device}) for parameter device is invalid.`);
  const running = textOf(childOf(instance, "instanceState"), "name");
  if (running !== "running")
    throw new Ec2Error("IncorrectState", `Instance '${InstanceId}' is not 'running'.`);
  return await state.moto.call("AttachVolume", query);
}

/** DeleteVolume: its tags go with it. */
export async function deleteVolume(state: State, query: Query): Promise<string> {
  const answer = await state.moto.call("DeleteVolume", query);
  await state.forgetTags([query["VolumeId"] ?? ""]);
  return answer;
}
