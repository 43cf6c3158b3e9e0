/** Guest programs for tests: they keep to the order and files of the real ones and let the test look into the VM. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const programs = {
  "process-user-data.mjs": `
import { copyFileSync, readFileSync } from "node:fs";
if (process.argv[2] !== "provision-files") throw new Error("called with " + process.argv.slice(2));
if (readFileSync("/media/cidata/user-data", "utf8").includes("refuse-me")) throw new Error("refused");
copyFileSync("/media/cidata/user-data", "/run/peerpod/apf.json");
`,
  "dev-agent.mjs": `
import { createServer } from "node:net";
import { readFileSync } from "node:fs";
readFileSync("/run/peerpod/apf.json");
createServer().listen("/run/kata-containers/agent.sock");
process.on("SIGUSR2", () => process.exit(0));
`,
  "image-pull-stand-in.mjs": `
import { createServer } from "node:net";
createServer().listen("/run/confidential-containers/cdh.sock");
`,
  // Keeps to what a real kata-agent wants: its configuration, the data hub, the pause bundle; and it is not PID 1.
  "kata-agent": `#!/usr/bin/node
const { readFileSync, statSync } = require("node:fs");
const config = readFileSync(process.argv[process.argv.indexOf("--config") + 1], "utf8");
const path = config.split('server_addr = "unix://')[1].split('"')[0];
statSync("/run/confidential-containers/cdh.sock");
const { args } = JSON.parse(readFileSync("/pause_bundle/config.json", "utf8")).process;
if ((statSync("/pause_bundle/rootfs" + args[0]).mode & 0o111) === 0 || process.pid === 1) process.exit(1);
require("node:net").createServer().listen(path);
`,
  // Answers "<command>\\n" with JSON: exit code and output of the command in the VM.
  "agent-protocol-forwarder.mjs": `
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
for (const file of ["/run/kata-containers/agent.sock", "/run/netns/podns"]) statSync(file);
createServer((socket) => {
  socket.on("error", () => undefined);
  createInterface({ input: socket }).once("line", (line) => {
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line], { encoding: "utf8" });
    socket.end(JSON.stringify({ status, stdout, stderr }));
  });
}).listen(15150, "0.0.0.0");
`,
};

/**
 * The directory with the programs, below `parent`, made when it is not there yet. The same for all tests and runs, so
 * that the image cache does not get a layer from each of them.
 */
export async function standInGuest(parent: string): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(programs)).digest("hex").slice(0, 12);
  const directory = join(parent, `stand-in-guest-${hash}`);
  const next = `${directory}-${process.pid}-${randomUUID()}`;
  await mkdir(next, { recursive: true });
  for (const [name, text] of Object.entries(programs))
    await writeFile(join(next, name), text, { mode: 0o755 });
  try {
    await rename(next, directory);
  } catch {
    // Another test was first.
    await rm(next, { recursive: true });
  }
  return directory;
}
