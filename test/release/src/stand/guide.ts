import { readFile } from "node:fs/promises";
import { join } from "node:path";

const docs = join(import.meta.dirname, "../../../../docs");

/** A fenced block of a page. */
export interface GuideBlock {
  /** What stands behind the fence, e.g. `sh` or `ts file=src/options.ts`. */
  readonly info: string;
  readonly text: string;
  /** The heading of second order that it stands under. */
  readonly under: string;
}

/** The fenced blocks of `docs/<page>`, in order. */
export async function readGuide(page: string): Promise<readonly GuideBlock[]> {
  const blocks: GuideBlock[] = [];
  let under = "";
  let open: { info: string; lines: string[] } | undefined;
  for (const line of (await readFile(join(docs, page), "utf8")).split("\n")) {
    if (open === undefined && line.startsWith("## ")) under = line.slice(3);
    if (!line.startsWith("```")) open?.lines.push(line);
    else if (open === undefined) open = { info: line.slice(3), lines: [] };
    else {
      blocks.push({ info: open.info, text: `${open.lines.join("\n")}\n`, under });
      open = undefined;
    }
  }
  return blocks;
}

/** The commands of a page under a heading, as one script. */
export async function commandsOf(page: string, under: string): Promise<string> {
  const blocks = await readGuide(page);
  const commands = blocks.filter((block) => block.info === "sh" && block.under === under);
  if (commands.length === 0) throw new Error(`docs/${page} has no commands under ${under}`);
  return commands.map(({ text }) => text).join("");
}
