import { stringify } from "yaml";
import { Slot, When } from "../slot.ts";
import type { Part } from "../objects/kube-object.ts";

/** The helm template of some objects: YAML with an expression in each slot, which writes its value as JSON. */
export function templateText(parts: readonly Part[]): string {
  return parts.map(documentText).join("");
}

function documentText({ object, when }: Part): string {
  const conditions: string[] = [];
  const marked = mark(object, conditions);
  const yaml = stringify(marked, { lineWidth: 0, aliasDuplicateObjects: false });
  const text = `---\n${expressions(conditionalItems(yaml, conditions))}`;
  return when === undefined ? text : `{{- if ${when.helm} }}\n${text}{{- end }}\n`;
}

/** Slots as text between marks that YAML leaves alone; conditional items with a first key that names their condition. */
function mark(node: unknown, conditions: string[]): unknown {
  if (node instanceof Slot) return `@@${Buffer.from(node.helm).toString("hex")}@@`;
  if (node instanceof When) {
    const index = conditions.push(node.condition.helm) - 1;
    return { [`@@if${index}`]: true, ...(mark(node.item, conditions) as object) };
  }
  if (Array.isArray(node)) return node.map((item) => mark(item, conditions));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, mark(value, conditions)]));
}

function expressions(yaml: string): string {
  return yaml.replaceAll(
    /"@@([0-9a-f]+)@@"/g,
    (_, hex: string) => `{{ ${Buffer.from(hex, "hex").toString()} | toJson }}`,
  );
}

/** Puts an `if` around the lines of each conditional item. */
function conditionalItems(yaml: string, conditions: readonly string[]): string {
  const lines = yaml.split("\n");
  const out: string[] = [];
  let open: string | undefined;
  let first = false;
  for (const line of lines) {
    if (open !== undefined && !line.startsWith(`${open}  `)) {
      out.push(`${open}{{- end }}`);
      open = undefined;
    }
    const [, indent, index] = /^(\s*)- "@@if(\d+)": true$/.exec(line) ?? [];
    if (indent !== undefined && index !== undefined) {
      out.push(`${indent}{{- if ${conditions[Number(index)]} }}`);
      open = indent;
      first = true;
      continue;
    }
    out.push(first && open !== undefined ? `${open}- ${line.slice(open.length + 2)}` : line);
    first = false;
  }
  return out.join("\n");
}
