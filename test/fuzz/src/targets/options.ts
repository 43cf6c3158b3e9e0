import { Buffer } from "node:buffer";
import { OptionsError, loadOptions } from "@peerpods/cloud-providers";
import type { OptionSpec } from "@peerpods/cloud-providers";
import { canary, refusedAs, require, requireNoSecret } from "../allowed.ts";
import { daemonOptions } from "../internals.ts";
import { stateless } from "../target.ts";
import type { FuzzTarget } from "../target.ts";

const everyType: OptionSpec = [
  { flag: "word", env: "WORD", type: "string", oneOf: ["a", "b"], help: "" },
  { flag: "count", env: "COUNT", type: "int", min: -5, max: 5, help: "" },
  { flag: "big", env: "BIG", type: "uint64", help: "" },
  { flag: "part", env: "PART", type: "float", min: 0, help: "" },
  { flag: "on", env: "ON", type: "bool", help: "" },
  { flag: "wait", env: "WAIT", type: "duration", help: "" },
  { flag: "names", env: "NAMES", type: "list", help: "" },
  { flag: "labels", env: "LABELS", type: "map", help: "" },
  { flag: "pin", env: "PIN", type: "int", secret: true, help: "" },
];
const spec = [...daemonOptions, ...everyType];

const isOptionsError = (error: unknown): boolean => error instanceof OptionsError;

/** The input is one word a line: arguments, then an empty line, then `NAME=value`. */
export const options: FuzzTarget = {
  name: "options",
  boundary: "flags and environment: from whoever writes the node's configuration",
  seeds: [
    Buffer.from("-count=3\n--word\na\n-on\n-names\nx,y\n-names=z\n\nWAIT=1m30s\nBIG=18446744073709551615\n"),
    Buffer.from("-labels=a=1,b=2\n-part\n0.5\n\nCOUNT=-5\nON=false\nLABELS=k=v\n"),
    Buffer.from(`-pin=${canary}\n\nPIN=${canary}\n`),
  ],
  words: [
    "--",
    "-",
    "=",
    "-help",
    "1e9",
    "__proto__=",
    "-__proto__=1",
    "-labels=__proto__=x",
    "NaN",
    "0x10",
    "1h1h",
  ],
  open: stateless((input) => {
    // Whatever else is on the line, a secret behind its own flag is not shown.
    refusedAs(
      () => loadOptions(spec, { argv: [`-pin=${canary}`, `-count=${input.toString()}`], env: {} }),
      (error) => {
        if (!input.includes(canary)) requireNoSecret(error);
        return isOptionsError(error);
      },
    );
    const [flags = "", variables = ""] = input.toString().split("\n\n", 2);
    const env = Object.fromEntries(
      variables.split("\n").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, Math.max(0, at)), line.slice(at + 1)];
      }),
    );
    const loaded = refusedAs(
      () => loadOptions(spec, { argv: flags.split("\n").filter((word) => word !== ""), env }),
      isOptionsError,
    );
    if (loaded === undefined || "help" in loaded) return;
    for (const { flag, type, min = -Infinity, max = Infinity, oneOf, default: fallback } of spec) {
      const value = loaded.values[flag];
      if (loaded.sources[flag] === "default") continue;
      if (type === "int" || type === "float" || type === "duration")
        require(typeof value === "number" && value >= min && value <= max, `${flag} is in its range`);
      if (oneOf !== undefined)
        require(oneOf.some((word) => word === value) || value === fallback, `${flag} is a known word`);
    }
  }),
};
