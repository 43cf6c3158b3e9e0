import { Buffer } from "node:buffer";
import { FrameDecoder } from "@peerpods/ttrpc";
import type { Delivery } from "@peerpods/ttrpc";
import { require } from "../../allowed.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";
import { clientBytes, serverBytes, ttrpcWords } from "./wire.ts";

const maxLength = 512;

/** What a decoder found, body bytes included, whatever the pieces. */
function decode(chunks: readonly Buffer[], delivery: Delivery): string[] {
  const found: string[] = [];
  let pieces: Buffer[] = [];
  const decoder = new FrameDecoder(
    {
      onFrame: ({ streamId, type, flags, body }) =>
        void found.push(`${streamId} ${type} ${flags} ${body.toString("hex")}`),
      onOversize: ({ streamId, length }) => void found.push(`${streamId} has ${length} bytes`),
      onHead: () => delivery,
      onPiece: ({ streamId, type, flags }, { bytes, start, end }, remaining) => {
        pieces.push(Buffer.from(bytes.subarray(start, end)));
        if (remaining > 0) return;
        found.push(`${streamId} ${type} ${flags} ${Buffer.concat(pieces).toString("hex")}`);
        pieces = [];
      },
    },
    { maxLength, headLength: 16 },
  );
  for (const chunk of chunks) decoder.push(chunk);
  return found;
}

/** However a stream is cut and whichever way bodies are taken, the same frames are in it. */
export const frames: FuzzTarget = {
  name: "ttrpc-frames",
  boundary: "bytes of any ttrpc peer, as the frame decoder cuts them",
  seeds: [...clientBytes, ...serverBytes],
  words: ttrpcWords,
  open: stateless((input) => {
    const step = 1 + ((input[0] ?? 0) % 13);
    const cut: Buffer[] = [];
    for (let at = 0; at < input.length; at += step) cut.push(input.subarray(at, at + step));
    const whole = decode([input], "gather");
    for (const delivery of ["gather", "pieces"] as const) {
      require(decode(cut, delivery).join() ===
        whole.join(), `frames are the same in pieces of ${step} (${delivery})`);
    }
  }),
};
