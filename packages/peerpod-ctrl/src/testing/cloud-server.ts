import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CONTRACT_VERSION, ProviderError, silentLogger } from "@peerpods/cloud-providers";
import type {
  CloudProvider,
  CreateInstanceRequest,
  DeleteInstanceRequest,
  Instance,
  Provider,
  ProviderErrorCode,
} from "@peerpods/cloud-providers";

/** What happens around the creation of a pod's instance. Replace the functions as a test needs it. */
export interface CloudMoments {
  /** Before the cloud acts. */
  before: (podName: string) => Promise<void>;
  /** The instance exists, and nobody has been told. */
  after: (podName: string) => Promise<void>;
}

/** A provider for programs in processes of their own: what they have asked for goes on when they are killed. */
export interface CloudServer extends AsyncDisposable {
  readonly url: string;
  readonly deletions: readonly DeleteInstanceRequest[];
}

export async function serveCloud(provider: Provider, moments?: CloudMoments): Promise<CloudServer> {
  const deletions: DeleteInstanceRequest[] = [];
  const call = { signal: new AbortController().signal, logger: silentLogger };
  async function act(method: string, body: unknown): Promise<unknown> {
    if (method === "createInstance") {
      const request = body as CreateInstanceRequest;
      await moments?.before(request.podName);
      const instance = await provider.createInstance(request, call);
      await moments?.after(request.podName);
      return instance;
    }
    const deletion = body as DeleteInstanceRequest;
    deletions.push(deletion);
    await provider.deleteInstance(deletion, call);
    return {};
  }
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      try {
        const answer = await act((request.url ?? "").slice(1), JSON.parse(Buffer.concat(chunks).toString()));
        response.end(JSON.stringify(answer));
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

/**
 * The other end of {@link serveCloud}: a provider named `fake`.
 * @param url where its cloud is. Default: `CLOUD_URL` of the configuration that it is given.
 */
export function remoteCloud(url?: string): CloudProvider {
  return {
    name: "fake",
    contractVersion: CONTRACT_VERSION,
    summary: "the cloud of a test",
    options: [],
    newProvider: async ({ env }) => remoteProvider(url ?? env["CLOUD_URL"] ?? ""),
  };
}

function remoteProvider(url: string): Provider {
  async function ask(method: keyof Provider, request: unknown, signal: AbortSignal): Promise<unknown> {
    const answer = await fetch(`${url}/${method}`, { method: "POST", body: JSON.stringify(request), signal });
    const body: unknown = await answer.json();
    if (answer.ok) return body;
    const { code, message } = body as { code: ProviderErrorCode; message: string };
    throw new ProviderError(code, message);
  }
  return {
    createInstance: async (request, { signal }) => (await ask("createInstance", request, signal)) as Instance,
    deleteInstance: async (request, { signal }) => void (await ask("deleteInstance", request, signal)),
    configVerifier: async () => [],
    teardown: async () => undefined,
  };
}
