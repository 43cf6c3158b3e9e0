import { generateKeyPair, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { ProviderError } from "@peerpods/cloud-providers";

const generate = promisify(generateKeyPair);

/**
 * A public RSA key in the form of OpenSSH: of the file, else of a new pair whose private part is dropped here and now. Azure
 * makes no Linux machine without a password or a key.
 * @throws ProviderError `invalid_config` when the file holds no such key.
 */
export async function publicSshKey(path: string): Promise<string> {
  if (path === "") {
    const { publicKey } = await generate("rsa", { modulusLength: 2_048 });
    return `ssh-rsa ${sshForm(publicKey)}`;
  }
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ProviderError("invalid_config", `ssh-key-path: cannot read ${path}`, { cause: error });
  });
  const [key] = /^(ssh-rsa [A-Za-z0-9+/=]{300,2000})(?= |$)/.exec(text.trim()) ?? [];
  if (key === undefined)
    throw new ProviderError("invalid_config", `ssh-key-path: ${path} holds no public RSA key (ssh-rsa ...)`);
  return key;
}

/** RFC 4253, section 6.6: the name, the exponent and the modulus, each with its length. */
function sshForm(key: KeyObject): string {
  const { e = "", n = "" } = key.export({ format: "jwk" });
  const parts = [Buffer.from("ssh-rsa"), positive(e), positive(n)];
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part), part])).toString("base64");
}

function positive(number: string): Buffer {
  const bytes = Buffer.from(number, "base64url");
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.byteLength);
  return length;
}
