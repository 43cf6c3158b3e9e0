import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import {
  connectProvider,
  loadProvider,
  type Clock,
  type Logger,
  type Provider,
  type ProviderSources,
} from "@peerpods/cloud-providers";
import { deletionOptions } from "./deletion-options.ts";
import type { Settings } from "./settings.ts";

export interface ProviderPoolOptions {
  readonly sources: ProviderSources;
  readonly settings: () => Settings;
  /** Parent of the providers' own directories. */
  readonly stateDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Connected providers by name, one connection each, made when first needed and again when the settings change. */
export interface ProviderPool extends AsyncDisposable {
  /**
   * Calls `act` with the connected provider. A connection whose settings are out of date is closed when its last user is done.
   * @throws ProviderError when the provider is unknown or cannot be connected; whatever `act` throws.
   */
  use<Result>(name: string, act: (provider: Provider) => Promise<Result>): Promise<Result>;
}

export function createProviderPool(options: ProviderPoolOptions): ProviderPool {
  const { settings, logger } = options;
  const connections = new Map<string, Connection>();

  function retire(name: string, connection: Connection): void {
    if (connections.get(name) === connection) connections.delete(name);
    connection.retired = true;
    if (connection.users === 0) close(connection);
  }

  function close(connection: Connection): void {
    connection.closed ??= connection.provider
      .then((provider) => provider.teardown())
      .catch((err: unknown) => logger.debug({ err }, "provider was not closed"));
  }

  function open(name: string, current: Settings): Connection {
    const provider = connect(name, current, options);
    const connection: Connection = { revision: current.revision, provider, users: 0, retired: false };
    connections.set(name, connection);
    // Tried again by the next user.
    provider.catch(() => retire(name, connection));
    return connection;
  }

  return {
    async use(name, act) {
      const current = settings();
      let connection = connections.get(name);
      if (connection !== undefined && connection.revision !== current.revision) {
        retire(name, connection);
        connection = undefined;
      }
      connection ??= open(name, current);
      connection.users += 1;
      try {
        return await act(await connection.provider);
      } finally {
        connection.users -= 1;
        if (connection.retired && connection.users === 0) close(connection);
      }
    },
    async [Symbol.asyncDispose]() {
      const all = [...connections];
      for (const [name, connection] of all) retire(name, connection);
      await Promise.all(all.map(([, connection]) => connection.closed ?? Promise.resolve()));
    },
  };
}

interface Connection {
  readonly revision: number;
  readonly provider: Promise<Provider>;
  users: number;
  retired: boolean;
  closed?: Promise<void>;
}

async function connect(
  name: string,
  { values: env }: Settings,
  { sources, stateDir, logger, clock }: ProviderPoolOptions,
): Promise<Provider> {
  const manager = await loadProvider(name, sources);
  const { values: config, problems } = deletionOptions(manager.options, env);
  for (const problem of problems) logger.warn({ provider: name, problem }, "an option is ignored");
  const directory = join(stateDir, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return await connectProvider(
    manager,
    { config, logger, stateDir: directory, env: { ...sources.env, ...env } },
    { clock },
  );
}
