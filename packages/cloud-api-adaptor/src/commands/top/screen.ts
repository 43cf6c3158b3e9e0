import type { Writable } from "node:stream";

/** A terminal used as a whole; disposal gives it back as it was. */
export interface Screen extends Disposable {
  /** Replaces what is shown; what does not fit is cut. */
  show(text: string): void;
}

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const TOP_LEFT = "\x1b[H";
const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";

export function openScreen(
  terminal: Writable & { readonly columns?: number; readonly rows?: number },
): Screen {
  terminal.write(ENTER);
  let open = true;
  return {
    show: (text) => {
      // A terminal that nobody has told its size has none.
      const columns = terminal.columns || 80;
      const rows = terminal.rows || 24;
      const lines = text.trimEnd().split("\n").slice(0, rows);
      terminal.write(
        TOP_LEFT + lines.map((line) => line.slice(0, columns) + TO_LINE_END).join("\n") + TO_SCREEN_END,
      );
    },
    [Symbol.dispose]: () => {
      if (open) terminal.write(LEAVE);
      open = false;
    },
  };
}
