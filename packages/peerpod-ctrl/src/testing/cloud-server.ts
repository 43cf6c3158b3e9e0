import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeleteInstanceRequest, Provider } from "@peerpods/cloud-providers";
import { ProviderError, silentLogger } from "@peerpods/cloud-providers";

/** The deletions of a provider, for controllers in processes of their own. */
export interface CloudServer extends AsyncDisposable {
  readonly url: string;
  readonly deletions: readonly DeleteInstanceRequest[];
}

export async function serveCloud(provider: Provider): Promise<CloudServer> {
  const deletions: DeleteInstanceRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const deletion = JSON.parse(Buffer.concat(chunks).toString()) as DeleteInstanceRequest;
      deletions.push(deletion);
      const call = { signal: new AbortController().signal, logger: silentLogger };
      try {
        await provider.deleteInstance(deletion, call);
        response.end("{}");
      } catch (error) {
        const { code, message } = ProviderError.from(error);
        response.writeHead(500).end(JSON.stringify({ code, message }));
      }
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deletions,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}
