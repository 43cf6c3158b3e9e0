import * as z from "zod";

/** One pull secret, as read from the API server: type is told by the key it has. */
export interface PullSecret {
  readonly name: string;
  /** Base64, as in the object. */
  readonly data: Readonly<Record<string, string>>;
}

/** What came of a pod's pull secrets. */
export interface MergedAuth {
  /** `auth.json` of containers-auth.json(5), without a final newline; absent when no registry is in it. */
  readonly authJson?: string;
  /** Secrets that could not be used, and why. Nothing of their content. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

const credentials = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
});
const registries = z.record(z.string(), credentials);

/**
 * Puts pull secrets together; for a registry that is in several the last one counts. Of each entry only `auth` is kept, or
 * made of user name and password; an entry with neither is left out. A secret that cannot be read is skipped alone.
 */
export function mergePullSecrets(secrets: readonly PullSecret[]): MergedAuth {
  const auths = new Map<string, string>();
  const skipped: { name: string; why: string }[] = [];
  for (const secret of secrets) {
    try {
      for (const [registry, entry] of Object.entries(registriesOf(secret))) {
        const auth = authOf(entry);
        if (auth !== undefined) auths.set(registry, auth);
      }
    } catch (error) {
      skipped.push({ name: secret.name, why: error instanceof Error ? error.message : "it cannot be read" });
    }
  }
  if (auths.size === 0) return { skipped };
  const entries = Object.fromEntries([...auths].map(([registry, auth]) => [registry, { auth }]));
  return { authJson: JSON.stringify({ auths: entries }), skipped };
}

function registriesOf({ data }: PullSecret): z.infer<typeof registries> {
  const modern = data[".dockerconfigjson"];
  if (modern !== undefined) {
    const document = parse(modern, ".dockerconfigjson", z.object({ auths: registries.optional() }));
    return document.auths ?? {};
  }
  const legacy = data[".dockercfg"];
  if (legacy !== undefined) return parse(legacy, ".dockercfg", registries);
  throw new Error("it has neither .dockerconfigjson nor .dockercfg");
}

/** Neither the parser's message nor the schema's may be passed on: both can quote what they were given. */
function parse<T>(base64: string, key: string, schema: z.ZodType<T>): T {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    // oxlint-disable-next-line preserve-caught-error -- the engine's message quotes the secret
    throw new Error(`its ${key} is not JSON`);
  }
  const result = schema.safeParse(document);
  if (!result.success) throw new Error(`its ${key} does not have the form of a registry login`);
  return result.data;
}

function authOf({
  auth = "",
  username = "",
  password = "",
}: z.infer<typeof credentials>): string | undefined {
  if (auth !== "") return auth;
  return username !== "" && password !== ""
    ? Buffer.from(`${username}:${password}`).toString("base64")
    : undefined;
}
