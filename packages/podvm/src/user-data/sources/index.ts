import { alibabaCloudSource } from "./alibabacloud.ts";
import { awsSource } from "./aws.ts";
import { azureSource } from "./azure.ts";
import { gcpSource } from "./gcp.ts";
import { localSource } from "./local.ts";
import { noCloudSource } from "./no-cloud.ts";
import type { UserDataSource } from "./source.ts";

/** All sources in the order in which they are looked for: what was put on the machine comes before what a cloud says. */
export function userDataSources(root: string): readonly UserDataSource[] {
  return [
    localSource(root),
    noCloudSource(),
    azureSource(root),
    awsSource(root),
    gcpSource(root),
    alibabaCloudSource(root),
  ];
}

export type { SourceCall, UserDataSource } from "./source.ts";
