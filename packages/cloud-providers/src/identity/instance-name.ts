const PREFIX = "podvm";
const SANDBOX_CHARACTERS = 8;

/**
 * Name of a pod VM: `podvm-<pod>-<first 8 of the sandbox id>`, of `[a-z0-9-]`; other characters become `-`.
 * The pod's part is cut so that the whole has at most `maxLength` characters (default 63, the length of a DNS label;
 * at least 16). It is also the TLS server name, so it is computed once and passed on.
 */
export function instanceName(podName: string, sandboxId: string, maxLength = 63): string {
  const fixed = PREFIX.length + SANDBOX_CHARACTERS + 2;
  if (maxLength <= fixed) throw new RangeError(`an instance name needs more than ${fixed} characters`);
  const pod = sanitise(podName).slice(0, maxLength - fixed);
  return `${PREFIX}-${pod}-${sanitise(sandboxId).slice(0, SANDBOX_CHARACTERS)}`;
}

function sanitise(text: string): string {
  return Array.from(text.toLowerCase(), (character) =>
    /^[a-z0-9-]$/.test(character) ? character : "-",
  ).join("");
}
