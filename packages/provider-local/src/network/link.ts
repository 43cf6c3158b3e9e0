import { readFile } from "node:fs/promises";

/** Whether a link of this name is in our network namespace. */
export async function linkExists(name: string): Promise<boolean> {
  return (await linkAttribute(name, "ifindex")) !== undefined;
}

/** What the kernel says of a link; `undefined` when there is no such link. */
export async function linkAttribute(link: string, attribute: string): Promise<string | undefined> {
  try {
    return (await readFile(`/sys/class/net/${link}/${attribute}`, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && linkIsGone.includes(error.code)) return undefined;
    throw error;
  }
}

/** How reading an attribute fails when there is no such link, or when it goes while it is read. */
const linkIsGone: readonly unknown[] = ["ENOENT", "ENODEV", "EINVAL"];
