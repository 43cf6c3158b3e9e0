import { CONTRACT_VERSION, type CloudProvider } from "../contract.ts";
import { ProviderError } from "../errors.ts";

/**
 * Checks that a value is the manager of the provider `name`, built for this major version of the contract.
 * @throws ProviderError `unsupported_contract` that says what is wrong and which side to change.
 */
export function checkContract(value: unknown, name: string): CloudProvider {
  const manager = value as Partial<CloudProvider> | null | undefined;
  const refuse = (what: string) => new ProviderError("unsupported_contract", `provider ${name}: ${what}`);
  if (typeof manager !== "object" || manager === null)
    throw refuse("there is no exported `provider` object; see the package's README for the contract");
  const { contractVersion } = manager;
  if (typeof contractVersion !== "string" || !/^\d+\.\d+$/.test(contractVersion))
    throw refuse("`contractVersion` is missing or not of the form 1.0");
  if (major(contractVersion) !== major(CONTRACT_VERSION)) {
    const newer = Number(major(contractVersion)) > Number(major(CONTRACT_VERSION));
    throw refuse(
      `it was built for contract ${contractVersion}, this program speaks ${CONTRACT_VERSION}; update the ${newer ? "program" : "provider"}`,
    );
  }
  if (manager.name !== name) throw refuse(`it calls itself ${JSON.stringify(manager.name)}`);
  if (typeof manager.newProvider !== "function" || !Array.isArray(manager.options))
    throw refuse("`options` or `newProvider` is missing");
  return manager as CloudProvider;
}

function major(version: string): string {
  return version.slice(0, version.indexOf("."));
}
