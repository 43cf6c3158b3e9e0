/** A program: Verdaccio with the configuration of a JSON file on a port (0: a free one). Prints the port, ends with its standard input. */
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { runServer } from "verdaccio";

const [configFile = "", port = "0"] = process.argv.slice(2);
const server = (await runServer(JSON.parse(await readFile(configFile, "utf8")))) as Server;
server.listen(Number(port), "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
// However the test ends, this ends with it.
process.stdin.on("end", () => process.exit(0)).resume();
