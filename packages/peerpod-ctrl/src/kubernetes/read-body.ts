/** The whole body as text. @throws RangeError when it is longer than `maxBytes`. */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new RangeError(`the answer is over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString("utf8");
}

/** Lines of the body as they come. @throws RangeError when one is longer than `maxBytes`. */
export async function* readLines(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<string> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
      rest = [];
      length = 0;
      start = end + 1;
      if (line !== "") yield line;
    }
    rest.push(Buffer.from(chunk.subarray(start)));
    length += chunk.byteLength - start;
    if (length > maxBytes) throw new RangeError(`a line of the answer is over ${maxBytes} bytes`);
  }
}
