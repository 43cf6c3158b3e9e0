/** One line that tells what is being done; finished steps stay above it. */
export interface Progress {
  /** Replaces the line. Where lines cannot be replaced it is printed when it differs. */
  show(text: string): void;
  /** Prints a finished step for good. */
  done(text: string): void;
}

/** @param options.terminal whether a line can be replaced. */
export function createProgress(
  write: (text: string) => void,
  { terminal }: { readonly terminal: boolean },
): Progress {
  let shown = "";
  return {
    show(text) {
      if (text === shown) return;
      shown = text;
      if (terminal) write(`\r\u001B[K${text}`);
      else if (text.startsWith("waiting")) write(`${text}\n`);
    },
    done(text) {
      shown = "";
      write(terminal ? `\r\u001B[K${text}\n` : `${text}\n`);
    },
  };
}
