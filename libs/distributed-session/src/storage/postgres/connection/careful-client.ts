import type { PostgresClient } from './postgres-pool.js';

/** What a connection has said beside its replies. */
interface Watched {
  warnings: number;
}

const watched = new WeakMap<PostgresClient, Watched>();

/**
 * Listens to a connection for as long as it lives: an error that nobody listens to would end the process, and a warning
 * within a write says that it was committed here, and not by the standby that had to.
 */
export function watchClient(client: PostgresClient): Watched {
  const known = watched.get(client);
  if (known) return known;
  const fresh: Watched = { warnings: 0 };
  watched.set(client, fresh);
  // What went wrong shows in the reply that does not come.
  client.on('error', () => {});
  client.on('notice', ({ severity }) => {
    if (severity === 'WARNING') fresh.warnings++;
  });
  return fresh;
}
