import { localSource } from "./local.ts";
import { noCloudSource } from "./no-cloud.ts";
import type { UserDataSource } from "./source.ts";

/** All sources in the order in which they are looked for. */
export function userDataSources(root: string): readonly UserDataSource[] {
  return [localSource(root), noCloudSource()];
}

export type { SourceCall, UserDataSource } from "./source.ts";
