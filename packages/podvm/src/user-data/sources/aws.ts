import { UserDataError } from "../errors.ts";
import { askMetadata, dmiField } from "./metadata.ts";
import type { SourceCall, UserDataSource } from "./source.ts";

const service = "http://169.254.169.254";

/** EC2's instance metadata service, version 2, or version 1 where that gives no token. */
export function awsSource(root: string, base: string = service): UserDataSource {
  return {
    name: "aws",
    detect: async () => (await dmiField(root, "sys_vendor")) === "Amazon EC2",
    async read(call) {
      const token = await sessionToken(base, call);
      const headers = token === undefined ? {} : { "X-aws-ec2-metadata-token": token };
      return askMetadata({ url: `${base}/latest/user-data`, headers }, call);
    },
  };
}

async function sessionToken(base: string, call: SourceCall): Promise<string | undefined> {
  const headers = { "X-aws-ec2-metadata-token-ttl-seconds": "60" };
  try {
    const token = await askMetadata({ url: `${base}/latest/api/token`, method: "PUT", headers }, call);
    return token.toString("latin1").trim();
  } catch (error) {
    if (error instanceof UserDataError) return undefined;
    throw error;
  }
}
