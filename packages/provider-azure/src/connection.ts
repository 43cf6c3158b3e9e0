import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import { ProviderError } from "@peerpods/cloud-providers";
import type { ConnectionConfig } from "./config.ts";

/** How requests go out, those for tokens included. */
export interface Transport {
  /** Trusted authorities in PEM; `undefined`: the public ones. */
  readonly ca: string | undefined;
  readonly proxy: ProxyAddress | undefined;
}

interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** @throws ProviderError `invalid_config` when the file of authorities cannot be used. */
export async function transportOf({ caBundle, httpProxy }: ConnectionConfig): Promise<Transport> {
  return {
    ca: caBundle === "" ? undefined : [...rootCertificates, await readAuthorities(caBundle)].join("\n"),
    proxy: httpProxy === "" ? undefined : proxyOf(new URL(httpProxy)),
  };
}

function proxyOf({ protocol, hostname, port, username, password }: URL): ProxyAddress {
  return {
    host: `${protocol}//${hostname}`,
    port: Number(port) || (protocol === "https:" ? 443 : 80),
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
  };
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ProviderError("invalid_config", `azure-ca-bundle (AZURE_CA_BUNDLE): cannot read ${path}`, {
      cause: error,
    });
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ProviderError(
    "invalid_config",
    `azure-ca-bundle (AZURE_CA_BUNDLE): ${path} holds no certificate in PEM`,
  );
}
