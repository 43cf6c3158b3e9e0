import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Ec2Error, errorXml } from "./ec2-error.ts";

/** Credentials that the STS gives. */
export interface StsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** A security token service on loopback that knows one call: AssumeRoleWithWebIdentity. */
export interface StsStandIn extends AsyncDisposable {
  readonly endpoint: string;
  /** Parameters of each call. */
  readonly calls: Readonly<Record<string, string>>[];
}

/** @param options.webIdentityToken the only token that is taken. */
export async function startStsStandIn({
  webIdentityToken,
  credentials,
}: {
  readonly webIdentityToken: string;
  readonly credentials: StsCredentials;
}): Promise<StsStandIn> {
  const calls: Readonly<Record<string, string>>[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (text: string) => (body += text));
    request.on("end", () => {
      const query = Object.fromEntries(new URLSearchParams(body));
      calls.push(query);
      if (query["Action"] === "AssumeRoleWithWebIdentity" && query["WebIdentityToken"] === webIdentityToken)
        return void response.end(answer(credentials, query["RoleArn"] ?? ""));
      const refusal = new Ec2Error("InvalidIdentityToken", "No OpenIDConnect provider found", 400);
      // STS wraps its errors differently from EC2.
      const text = errorXml(refusal, "sts")
        .replace("<Response><Errors>", "<ErrorResponse>")
        .replace("</Errors>", "");
      return void response.writeHead(400).end(text.replace("</Response>", "</ErrorResponse>"));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answer({ accessKeyId, secretAccessKey, sessionToken }: StsCredentials, role: string): string {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>s</SubjectFromWebIdentityToken><Audience>sts.amazonaws.com</Audience><AssumedRoleUser><Arn>${role}</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}
