/**
 * The provider of the bench's cloud, bundled as the plug-in file `bench.mjs` (a plug-in's file is named after it). It adds one
 * request on a unix socket to a call and nothing else, so what is measured is the daemon.
 */
import { request } from "node:http";
import {
  CONTRACT_VERSION,
  ProviderError,
  type CloudProvider,
  type Provider,
} from "@peerpods/cloud-providers";
import { CLOUD_SOCKET_FLAG, type RunInstance, type RunningInstance } from "./api.ts";

export const provider: CloudProvider = {
  name: "bench",
  contractVersion: CONTRACT_VERSION,
  summary: "VMs that exist at once, for measuring the daemon",
  options: [
    { flag: CLOUD_SOCKET_FLAG, type: "string", required: true, help: "Unix socket of the bench's cloud" },
  ],
  newProvider: ({ config }) => Promise.resolve(connect(String(config[CLOUD_SOCKET_FLAG]))),
};

function connect(socketPath: string): Provider {
  return {
    async createInstance({ token, name, userData }, { signal }) {
      const body: RunInstance = { token, name, userData };
      const text = await call(
        { socketPath, method: "POST", path: "/instances", signal },
        JSON.stringify(body),
      );
      const { id, address } = JSON.parse(text) as RunningInstance;
      return { id, name, addresses: [address] };
    },
    async deleteInstance({ instanceId = "", token = "" }, { signal }) {
      if (instanceId === "" && token === "")
        throw new ProviderError("invalid_request", "neither id nor token");
      const query = new URLSearchParams({ id: instanceId, token });
      await call({ socketPath, method: "DELETE", path: `/instances?${query.toString()}`, signal });
    },
    configVerifier: () => Promise.resolve([]),
    teardown: () => Promise.resolve(),
  };
}

function call(
  options: { socketPath: string; method: string; path: string; signal: AbortSignal },
  body = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(text);
        else
          reject(
            new ProviderError("unavailable", `the bench's cloud answered ${answer.statusCode}: ${text}`),
          );
      });
    });
    sent.on("error", reject).end(body);
  });
}
