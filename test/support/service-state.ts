import type { RunningService } from './running-service.js';
import { liveOf } from './storage/storage-calls.js';
import { readable } from './readable-services.js';

/**
 * The stored sessions, tombstones and services as text, to compare before and after. The last use of a secret is left
 * out: it is recorded whether or not a request is refused.
 */
export async function stateOf({ storage }: Pick<RunningService, 'storage'>): Promise<string> {
  const { logins } = await storage.listLogins({ limit: 1_000 });
  const sessions = logins.map(async ({ loginId }) => ({
    live: (await liveOf(storage, loginId)).map(({ payload, ...session }) => ({
      ...session,
      payload: Buffer.from(payload).toString(),
    })),
    ended: await storage.listHistory(loginId),
  }));
  const services = readable(await storage.services.list()).map((service) => ({
    ...service,
    secrets: service.secrets.map(({ lastUsedAt, ...secret }) => secret),
  }));
  return JSON.stringify({ sessions: await Promise.all(sessions), services }, undefined, 1);
}
