import { ApiError } from "./api-error.ts";

/** Who may have a token. */
export interface Identities {
  readonly apiKeys: Set<string>;
  /** Trusted profile ids, with the service account token that each trusts. */
  readonly profiles: Map<string, string>;
}

/** IAM's own form of an error. */
export class IamError extends ApiError {
  override get body(): object {
    return {
      errorCode: this.code,
      errorMessage: this.message,
      context: { requestId: "stand-in", url: "https://iam.cloud.ibm.com" },
    };
  }
}

const TOKEN_SECONDS = 3_600;

/** `POST /identity/token`. */
export function issueToken(body: string, { apiKeys, profiles }: Identities): object {
  const form = new URLSearchParams(body);
  switch (form.get("grant_type")) {
    case "urn:ibm:params:oauth:grant-type:apikey":
      if (!apiKeys.has(form.get("apikey") ?? ""))
        throw new IamError(400, "BXNIM0415E", "Provided API key could not be found.");
      break;
    case "urn:ibm:params:oauth:grant-type:cr-token":
      if (profiles.get(form.get("profile_id") ?? "") !== form.get("cr_token"))
        throw new IamError(400, "BXNIM0513E", "The compute resource token is not trusted by the profile.");
      break;
    default:
      throw new IamError(400, "BXNIM0106E", "Property 'grant_type' is missing or unknown.");
  }
  const issued = Math.floor(Date.now() / 1_000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "HS256" })}.${part({ iat: issued, exp: issued + TOKEN_SECONDS })}.c3RhbmQtaW4`;
  return {
    access_token: token,
    refresh_token: "not_supported",
    token_type: "Bearer",
    expires_in: TOKEN_SECONDS,
    expiration: issued + TOKEN_SECONDS,
    scope: "ibm openid",
  };
}

/** @throws ApiError 401 for a request without a token of ours. */
export function checkToken(authorization: string | undefined): void {
  const [, payload = ""] = /^Bearer [\w-]+\.([\w-]+)\.c3RhbmQtaW4$/.exec(authorization ?? "") ?? [];
  const { exp = 0 } = (payload === "" ? {} : JSON.parse(Buffer.from(payload, "base64url").toString())) as {
    readonly exp?: number;
  };
  if (exp * 1_000 > Date.now()) return;
  throw new ApiError(401, "not_authenticated", "the request carries no valid IAM token");
}
