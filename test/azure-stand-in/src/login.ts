/** Who may sign in, and the tokens that were given out: the token endpoint of Entra ID, as far as programs use it. */
export class Login {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Content of the projected service account token that is federated with the client. */
  readonly federatedToken: string;
  /** Requests for a token, without what they prove themselves with. */
  readonly requests: {
    readonly grant: string;
    readonly how: "secret" | "assertion";
    readonly scope: string;
  }[] = [];
  /** Lifetime of the tokens that are given out, in seconds. */
  expiresIn = 3_600;
  readonly #tokens = new Set<string>();

  constructor(known: Pick<Login, "tenant" | "clientId" | "clientSecret" | "federatedToken">) {
    this.tenant = known.tenant;
    this.clientId = known.clientId;
    this.clientSecret = known.clientSecret;
    this.federatedToken = known.federatedToken;
  }

  knows(authorization: string | undefined): boolean {
    return this.#tokens.has((authorization ?? "").replace(/^Bearer /, ""));
  }

  /** Where a directory's endpoints are. Signing in begins with this. */
  discover(origin: string, tenant: string): object {
    return {
      issuer: `${origin}/${tenant}/v2.0`,
      token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
      authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
      jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
    };
  }

  /** Answers a POST to `/<tenant>/oauth2/v2.0/token`. */
  answer(tenant: string, form: URLSearchParams): { readonly status: number; readonly body: object } {
    const assertion = form.get("client_assertion");
    const scope = form.get("scope") ?? "";
    const how = assertion === null ? "secret" : "assertion";
    this.requests.push({ grant: form.get("grant_type") ?? "", how, scope });
    if (tenant !== this.tenant)
      return refused("invalid_request", `AADSTS90002: Tenant '${tenant}' not found.`);
    if (form.get("grant_type") !== "client_credentials")
      return refused("unsupported_grant_type", "AADSTS70003: The grant type is not supported.");
    if (form.get("client_id") !== this.clientId)
      return refused("unauthorized_client", "AADSTS700016: Application was not found in the directory.");
    if (
      assertion === null ? form.get("client_secret") !== this.clientSecret : assertion !== this.federatedToken
    )
      return refused(
        "invalid_client",
        how === "secret"
          ? "AADSTS7000215: Invalid client secret provided."
          : "AADSTS700211: No matching federated identity record found for presented assertion.",
      );
    if (!/\/\.default( |$)/.test(scope))
      return refused("invalid_scope", "AADSTS1002012: The provided value for scope is not valid.");
    const token = `stand-in-${crypto.randomUUID()}`;
    this.#tokens.add(token);
    return { status: 200, body: { token_type: "Bearer", expires_in: this.expiresIn, access_token: token } };
  }
}

function refused(error: string, description: string): { readonly status: number; readonly body: object } {
  const status = error === "invalid_client" || error === "unauthorized_client" ? 401 : 400;
  return { status, body: { error, error_description: description, error_codes: [] } };
}
