import { stringify } from "yaml";
import { peerPodCrd } from "./crd.ts";
import { GROUP, PLURAL } from "./names.ts";

/** The generated file, which is committed and installed: helm takes it from the chart. */
export const crdFile = new URL(`../../deploy/charts/peerpods/crds/${GROUP}_${PLURAL}.yaml`, import.meta.url);

/** What stands in it. */
export function crdText(): string {
  return `# Generated from src/api/peerpod.ts by "pnpm generate"; do not edit.\n${stringify(peerPodCrd(), { lineWidth: 110 })}`;
}
