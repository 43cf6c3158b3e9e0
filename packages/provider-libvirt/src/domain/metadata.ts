import type { Tags } from "@peerpods/cloud-providers";
import { elementsAt, textAt, type XmlElement } from "../xml.ts";

/** What we write into a domain, in an XML namespace of our own: how an instance is found, and whose it is. */
export interface InstanceMetadata {
  readonly token: string;
  /** The instance's name, which is not the domain's. */
  readonly name: string;
  /** Hash of the request, to tell two requests with one token apart. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly tags: Tags;
}

const NAMESPACE = "urn:peerpods:instance:1";
const ELEMENT = "peerpods:instance";
const TAG = "peerpods:tag";

/** The content of the domain's `metadata` element. */
export function metadataElement(metadata: InstanceMetadata): XmlElement {
  const { token, name, fingerprint, createdAt, tags } = metadata;
  return {
    [ELEMENT]: {
      "@xmlns:peerpods": NAMESPACE,
      "@token": token,
      "@name": name,
      "@fingerprint": fingerprint,
      "@created": String(createdAt),
      [TAG]: Object.entries(tags).map(([key, value]) => ({ "@key": quote(key), "@value": quote(value) })),
    },
  };
}

/** What a domain carries of ours, or `undefined` when it is not ours. */
export function metadataOf(domain: XmlElement): InstanceMetadata | undefined {
  const path = `domain/metadata/${ELEMENT}`;
  if (textAt(domain, path, "@xmlns:peerpods") !== NAMESPACE) return undefined;
  const tags = elementsAt(domain, `${path}/${TAG}`).map(
    (tag) => [unquote(textAt(tag, "", "@key")), unquote(textAt(tag, "", "@value"))] as const,
  );
  return {
    token: textAt(domain, path, "@token"),
    name: textAt(domain, path, "@name"),
    fingerprint: textAt(domain, path, "@fingerprint"),
    createdAt: Number(textAt(domain, path, "@created")),
    tags: Object.fromEntries(tags),
  };
}

/** XML changes some white space in attributes, and libvirt prints other letters than ASCII in more than one way. */
function quote(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/%(?:20|2F|3A|3D|2B|40)/g, decodeURIComponent);
}

function unquote(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A person has edited it; then it is what it says.
    return text;
  }
}
