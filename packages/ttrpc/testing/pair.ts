import { createClient } from "@connectrpc/connect";
import type { Client, ServiceImpl } from "@connectrpc/connect";
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { connectTtrpc, createTtrpcServer } from "../src/index.ts";
import type {
  ServedConnection,
  TtrpcClientConnection,
  TtrpcClientOptions,
  TtrpcServer,
} from "../src/index.ts";
import type { TtrpcServerOptions } from "../src/index.ts";
import { echoRoutes } from "./echo-service.ts";
import { Echo } from "./gen/echo_pb.ts";

export interface EchoPair extends AsyncDisposable {
  readonly client: Client<typeof Echo>;
  readonly connection: TtrpcClientConnection;
  readonly server: TtrpcServer;
  readonly served: ServedConnection;
  /** The streams below, for tests that look at or cut them. */
  readonly clientSide: Duplex;
  readonly serverSide: Duplex;
}

/** A client and a server of the echo service, joined in memory. */
export function createEchoPair(
  options: {
    readonly client?: TtrpcClientOptions;
    readonly server?: TtrpcServerOptions;
    readonly replaced?: Partial<ServiceImpl<typeof Echo>>;
  } = {},
): EchoPair {
  const [clientSide, serverSide] = duplexPair();
  const server = createTtrpcServer(echoRoutes(options.replaced), options.server);
  const served = server.serve(serverSide);
  const connection = connectTtrpc(clientSide, options.client);
  return {
    client: createClient(Echo, connection.transport),
    connection,
    server,
    served,
    clientSide,
    serverSide,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
