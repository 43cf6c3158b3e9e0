import { ProviderError } from "@peerpods/cloud-providers";
import { XMLBuilder, XMLParser } from "fast-xml-parser";

/** An element as fast-xml-parser has it: `@name` is an attribute, `#text` the text, everything else elements. */
export type XmlElement = { readonly [name: string]: XmlNode | undefined };
export type XmlNode = string | XmlElement | readonly XmlNode[];

const builder = new XMLBuilder({
  attributeNamePrefix: "@",
  ignoreAttributes: false,
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
});

const parser = new XMLParser({
  attributeNamePrefix: "@",
  ignoreAttributes: false,
  parseAttributeValue: false,
  parseTagValue: false,
});

/** The document with every value escaped. */
export function buildXml(document: XmlElement): string {
  return builder.build(document);
}

/**
 * A document that libvirt gave.
 * @throws ProviderError `internal` when it is none.
 */
export function parseXml(text: string, what: string): XmlElement {
  try {
    return parser.parse(text, true) as XmlElement;
  } catch (error) {
    throw new ProviderError("internal", `libvirt's description of ${what} is no XML`, { cause: error });
  }
}

/** All elements at a path; an element that is there once or several times alike. */
export function elementsAt(root: XmlElement, path: string): readonly XmlElement[] {
  let found: readonly XmlNode[] = [root];
  for (const name of path.split("/")) found = found.flatMap((node) => childrenOf(node, name));
  return found.map((node) => (isElement(node) ? node : { "#text": node }));
}

/** An attribute of the first element at a path, or its text when `attribute` is `#text`; empty when there is none. */
export function textAt(root: XmlElement, path: string, attribute = "#text"): string {
  const [element] = path === "" ? [root] : elementsAt(root, path);
  const value = element?.[attribute];
  return typeof value === "string" ? value : "";
}

function childrenOf(node: XmlNode, name: string): readonly XmlNode[] {
  const child = isElement(node) ? node[name] : undefined;
  if (child === undefined) return [];
  return isList(child) ? child : [child];
}

function isElement(node: XmlNode): node is XmlElement {
  return typeof node === "object" && !isList(node);
}

function isList(node: XmlNode): node is readonly XmlNode[] {
  return Array.isArray(node);
}
