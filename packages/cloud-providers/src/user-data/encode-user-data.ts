import { ProviderError } from "../errors.ts";

/** How a cloud wants its user data, and how much of it. */
export interface UserDataLimit {
  /** The field's name in messages, e.g. `EC2 UserData`. */
  readonly carrier: string;
  readonly encoding: "plain" | "base64";
  readonly maxBytes: number;
  /** Whether the cloud counts the bytes before or after the encoding. Default `raw`. */
  readonly counts?: "raw" | "encoded";
}

/**
 * The document as the cloud wants it, its size checked before the cloud sees it.
 * @throws ProviderError `invalid_request` with both sizes when it is too long.
 */
export function encodeUserData(userData: string, limit: UserDataLimit): string {
  const raw = Buffer.from(userData, "utf8");
  const encoded = limit.encoding === "base64" ? raw.toString("base64") : userData;
  const size = limit.counts === "encoded" ? Buffer.byteLength(encoded) : raw.byteLength;
  if (size <= limit.maxBytes) return encoded;
  throw new ProviderError(
    "invalid_request",
    `user data has ${size} bytes, but ${limit.carrier} takes ${limit.maxBytes}; shorten the initdata or the image pull secret of the pod`,
  );
}
