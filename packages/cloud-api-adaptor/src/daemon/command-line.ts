/** What the daemon's command line asks for. */
export type Invocation =
  | { readonly kind: "run"; readonly providerName: string; readonly argv: readonly string[] }
  | { readonly kind: "version" }
  /** `problem` absent: it was asked for help. */
  | { readonly kind: "help"; readonly problem?: string };

/** Reads the words behind the program's name: a provider and its flags, `help` or `version`. */
export function parseInvocation(words: readonly string[]): Invocation {
  const [first, ...argv] = words;
  if (first === undefined) return { kind: "help", problem: "" };
  if (first === "help") return { kind: "help" };
  if (first === "version") return { kind: "version" };
  if (first === "" || first.startsWith("-")) {
    return { kind: "help", problem: `unknown option ${JSON.stringify(first)}` };
  }
  return { kind: "run", providerName: first, argv };
}

/** The help of the program as a whole. */
export function usage(program: string, providers: readonly string[]): string {
  return [
    `Usage: ${program} <provider> [flags] | help | version`,
    "",
    "Cloud providers that are built in:",
    ...providers.map((name) => `\t${name}`),
    "",
    "Any other <provider> is looked for as the package @peerpods/provider-<provider>.",
    `Use "${program} <provider> -help" for the flags.`,
    "",
  ].join("\n");
}

export function versionText(
  program: string,
  { version, commit, chain }: { readonly version: string; readonly commit: string; readonly chain: string },
): string {
  return `${program} version ${version}\n  commit: ${commit}\n  node: ${process.version}\n${chain}`;
}
