/** Writes the CRD from the schema: `pnpm generate`. */
import { mkdir, writeFile } from "node:fs/promises";
import { crdFile, crdText } from "./crd-file.ts";

await mkdir(new URL(".", crdFile), { recursive: true });
await writeFile(crdFile, crdText());
