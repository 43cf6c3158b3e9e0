import { problem, warning, type Finding } from "@peerpods/cloud-providers";
import type { AzureConfig } from "../config.ts";
import type { Size } from "../sizes.ts";

/** Whether the configured sizes can be had here, and do what the other options ask of them. */
export function verifySizes(config: AzureConfig, sizes: readonly Size[]): readonly Finding[] {
  return sizes.flatMap((size) => [...availability(config, size), ...kind(config, size)]);
}

function availability({ region, zones, size: standard }: AzureConfig, size: Size): readonly Finding[] {
  const say = size.name === standard ? problem : warning;
  const subject = size.name === standard ? "instance-size" : "instance-sizes";
  const remedy = "ask Azure for access to the size, or name another that the region has";
  if (size.restriction !== "")
    return [
      say(subject, `this subscription cannot use ${size.name} in ${region}: ${size.restriction}`, remedy),
    ];
  const lacking = zones.filter((zone) => !size.zones.includes(zone));
  if (lacking.length === 0) return [];
  const everywhere = lacking.length === zones.length;
  return [
    (everywhere ? say : warning)(
      "zones",
      `${size.name} is not offered in zone ${lacking.join(" or ")} of ${region}`,
      size.zones.length === 0
        ? "name no zones, or another size"
        : `name zones that have it: ${size.zones.join(", ")}`,
    ),
  ];
}

function kind(config: AzureConfig, { name, confidential }: Size): readonly Finding[] {
  if (!config.confidential || confidential !== "") return [];
  const remedy = "name confidential sizes (DCas, ECas for SEV-SNP; DCes, ECes for TDX), or set disable-cvm";
  return name === config.size
    ? [problem("instance-size", `${name} cannot be a confidential VM`, remedy)]
    : [warning("instance-sizes", `${name} cannot be a confidential VM and is never used`, remedy)];
}
