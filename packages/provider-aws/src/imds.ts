import { ProviderError } from "@peerpods/cloud-providers";

/** The instance metadata service of the machine this runs on. */
export interface MetadataService {
  /**
   * One value below `/latest/meta-data/`, or `undefined` when the machine has none.
   * @throws ProviderError `unavailable` when the service does not answer, `internal` when its answer makes no sense.
   */
  get(path: string, signal: AbortSignal): Promise<string | undefined>;
}

const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 2_000;

/**
 * A client of IMDSv2, which falls back to IMDSv1 only where a service refuses tokens.
 * @param env `AWS_EC2_METADATA_SERVICE_ENDPOINT` moves the service, `AWS_EC2_METADATA_DISABLED=true` turns it off.
 */
export function createMetadataService(env: Readonly<Record<string, string | undefined>>): MetadataService {
  const endpoint = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || "http://169.254.169.254";
  const disabled = env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true";
  let token: string | undefined;
  return {
    async get(path, signal) {
      if (disabled)
        throw new ProviderError("unavailable", "instance metadata is disabled by the environment");
      token ??= await requestToken(endpoint, signal);
      const headers: Record<string, string> = token === "" ? {} : { "x-aws-ec2-metadata-token": token };
      const response = await request(new URL(`/latest/meta-data/${path}`, endpoint), { headers, signal });
      return response.status === 404 ? undefined : await bodyOf(response);
    },
  };
}

/** @returns the empty string when the service knows no tokens. */
async function requestToken(endpoint: string, signal: AbortSignal): Promise<string> {
  const response = await request(new URL("/latest/api/token", endpoint), {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300" },
    signal,
  });
  if (response.status === 403 || response.status === 404 || response.status === 405) {
    await response.body?.cancel();
    return "";
  }
  return await bodyOf(response);
}

async function request(url: URL, { signal, ...init }: RequestInit & { signal: AbortSignal }) {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    return await fetch(url, { ...init, redirect: "error", signal: limited });
  } catch (error) {
    signal.throwIfAborted();
    throw new ProviderError("unavailable", `the instance metadata service at ${url.origin} does not answer`, {
      cause: error,
    });
  }
}

async function bodyOf(response: Response): Promise<string> {
  if (!response.ok) {
    await response.body?.cancel();
    throw new ProviderError("internal", `the instance metadata service answers ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new ProviderError("internal", "instance metadata is longer than 64 KiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8").trim();
}
