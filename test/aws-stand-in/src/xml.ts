import { XMLParser } from "fast-xml-parser";

/** An element of an answer, as plain data: texts, structures, and lists under their `item`. */
export type Xml = { readonly [name: string]: Xml | readonly Xml[] | string | undefined };

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  isArray: (name) => name === "item",
});

/** The children of an answer's root element. */
export function parseAnswer(text: string): Xml {
  const { "?xml": _declaration, ...document } = parser.parse(text) as Record<string, Xml>;
  const [root] = Object.values(document);
  return root ?? {};
}

/** Members of a list of an element, e.g. `instancesSet`. */
export function itemsOf(element: Xml | undefined, name: string): readonly Xml[] {
  const list = element?.[name];
  if (list === undefined || typeof list === "string" || Array.isArray(list)) return [];
  const items = (list as Xml)["item"];
  return Array.isArray(items) ? (items as readonly Xml[]) : [];
}

export function childOf(element: Xml | undefined, name: string): Xml {
  const child = element?.[name];
  return child === undefined || typeof child === "string" || Array.isArray(child) ? {} : (child as Xml);
}

export function textOf(element: Xml | undefined, name: string): string {
  const text = element?.[name];
  return typeof text === "string" ? text : "";
}
