import { Ec2Error } from "../ec2-error.ts";
import { structuresOf, without, type Query } from "../query.ts";
import type { State } from "../state.ts";

/** Filters beside `tag:<key>` and `tag-key`; moto breaks on those that it does not know. */
const filters: Readonly<Record<string, readonly string[]>> = {
  DescribeInstances: ["instance-id", "client-token", "instance-state-name"],
  DescribeVolumes: ["volume-id", "status"],
  DescribeNetworkInterfaces: ["network-interface-id", "status", "subnet-id"],
  DescribeAddresses: ["allocation-id", "public-ip"],
  DescribeTags: ["key", "value", "resource-id", "resource-type"],
};

/** A listing: filters checked, and the one that moto lacks translated. */
export async function describe(state: State, action: string, query: Query): Promise<string> {
  const known = filters[action];
  for (const { Name = "" } of structuresOf(query, "Filter"))
    if (known !== undefined && !/^tag(-key$|:)/.test(Name) && !known.includes(Name))
      throw new Ec2Error("InvalidParameterValue", `The filter '${Name}' is invalid`);
  const answer = await state.moto.call(action, motoTypes(action, byInstanceId(state, query)));
  if (action !== "DescribeInstances") return answer;
  return withoutHidden(state, answer);
}

/** An id that no instance has. */
const NOBODY = "i-00000000000000000";

function byInstanceId(state: State, query: Query): Query {
  const index = structuresOf(query, "Filter").findIndex(({ Name }) => Name === "client-token");
  if (index < 0) return query;
  const prefix = `Filter.${index + 1}`;
  const token = query[`${prefix}.Value.1`] ?? "";
  const id = state.tokens.get(`RunInstances ${token}`)?.id ?? NOBODY;
  return { ...without(query, prefix), [`${prefix}.Name`]: "instance-id", [`${prefix}.Value.1`]: id };
}

/** moto has a word of its own for addresses among tagged resources. */
function motoTypes(action: string, query: Query): Query {
  if (action !== "DescribeTags") return query;
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, value === "elastic-ip" ? "vpc-elastic-ip" : value]),
  );
}

/** EC2 lists an instance only some time after it has answered that it made it. */
function withoutHidden(state: State, answer: string): string {
  if (state.hidden.size === 0) return answer;
  const start = "<item><reservationId>";
  const [head = "", ...reservations] = answer.split(start);
  const [, tail = ""] = /(<\/reservationSet>.*)$/s.exec(answer) ?? [];
  const shown = reservations
    .map((text) => `${start}${text.replace(tail, "")}`)
    .filter((reservation) => ![...state.hidden.keys()].some((id) => reservation.includes(`>${id}<`)));
  for (const [id, reads] of state.hidden)
    if (reads <= 1) state.hidden.delete(id);
    else state.hidden.set(id, reads - 1);
  return `${head.replace(tail, "")}${shown.join("")}${tail}`;
}

/** What moto does not tell truly: who lent an address, what goes with the instance, and whether it is confidential. */
export function corrected(state: State, answer: string): string {
  return answer
    .replaceAll("<resourceType>vpc-elastic-ip<", "<resourceType>elastic-ip<")
    .replaceAll(
      /<ipOwnerId>\d+<\/ipOwnerId>(?=(?:<publicDnsName>[^<]*<\/publicDnsName>)?<publicIp>([^<]*)<\/publicIp>)/g,
      (owner: string, address: string) =>
        state.allocated.has(address) ? owner : "<ipOwnerId>amazon</ipOwnerId>",
    )
    .replaceAll(
      /(<attachmentId>(eni-attach-[0-9a-f]+)<\/attachmentId><deleteOnTermination>)false/g,
      (text: string, before: string, id: string) =>
        state.deletedWithInstance.has(id) ? `${before}true` : text,
    )
    .replaceAll(/<instanceId>(i-[0-9a-f]+)<\/instanceId>(?=<imageId>)/g, (text: string, id: string) =>
      state.confidential.has(id) ? `<cpuOptions><amdSevSnp>enabled</amdSevSnp></cpuOptions>${text}` : text,
    );
}
