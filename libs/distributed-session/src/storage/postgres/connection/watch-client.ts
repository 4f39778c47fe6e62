import type { PostgresClient } from './postgres-pool.js';

interface WatchedClient {
  /** The number of warnings that the server has sent. */
  warnings: number;
  /** The names that statements in transactions were prepared under. */
  readonly prepared: Set<string>;
  /** Whether its server session has the storage's settings. */
  isSet: boolean;
}

/** The SQLSTATE of a notice that is not a warning. The severity is translated into the server's language. */
const NO_WARNING = '00000';

const watched = new WeakMap<PostgresClient, WatchedClient>();

/**
 * Counts a connection's warnings and listens for its errors, for as long as it lives. An error event without a listener
 * would end the process. A warning during a write means that this server committed it, but that the synchronous standby
 * did not confirm it.
 */
export function watchClient(client: PostgresClient): WatchedClient {
  const known = watched.get(client);
  if (known) return known;
  const fresh: WatchedClient = { warnings: 0, prepared: new Set(), isSet: false };
  watched.set(client, fresh);
  // The query that is missing its reply reports the failure.
  client.on('error', () => {});
  client.on('notice', ({ code }) => {
    if (code !== NO_WARNING) fresh.warnings++;
  });
  return fresh;
}
