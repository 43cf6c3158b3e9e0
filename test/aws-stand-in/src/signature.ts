import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Ec2Error } from "./ec2-error.ts";

/** Keys that the stand-in knows. */
export interface KnownKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Answers as for a session that is over. */
  readonly expired?: boolean;
}

/**
 * Checks credentials and the signature (version 4) as EC2 does.
 * @throws Ec2Error `MissingAuthenticationToken`, `AuthFailure`, `RequestExpired`, `SignatureDoesNotMatch`.
 */
export function checkSignature(
  request: IncomingMessage,
  body: string,
  keys: ReadonlyMap<string, KnownKey>,
): void {
  const header = request.headers.authorization ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/[^/]+\/aws4_request), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (match === null)
    throw new Ec2Error("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
  const [, id = "", scope = "", signedHeaders = "", signature = ""] = match;
  const key = keys.get(id);
  const refused = new Ec2Error(
    "AuthFailure",
    "AWS was not able to validate the provided access credentials",
    401,
  );
  if (key === undefined) throw refused;
  if (key.expired === true) throw new Ec2Error("RequestExpired", "Request has expired.");
  if ((key.sessionToken ?? "") !== (request.headers["x-amz-security-token"] ?? "")) throw refused;
  const canonical = [
    request.method,
    "/",
    "",
    ...signedHeaders.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    signedHeaders,
    sha256(body),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const signing = scope.split("/").reduce<Buffer | string>(hmac, `AWS4${key.secretAccessKey}`);
  if (hmac(signing, text).toString("hex") !== signature)
    throw new Ec2Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
      403,
    );
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
