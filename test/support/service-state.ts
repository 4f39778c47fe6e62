import type { RunningService } from './running-service.js';

/**
 * What a session service keeps, as a text for a comparison of before and after: the sessions and their endings, payloads
 * and all, and the services. When a secret was last used is left out: it is noted whether or not a request is refused.
 */
export async function stateOf({ storage }: Pick<RunningService, 'storage'>): Promise<string> {
  const { logins } = await storage.listLogins({ limit: 1_000 });
  const sessions = logins.map(async ({ loginId }) => ({
    live: (await storage.listByLogin(loginId)).map(({ payload, ...session }) => ({
      ...session,
      payload: Buffer.from(payload).toString(),
    })),
    ended: await storage.listHistory(loginId),
  }));
  const services = (await storage.services.list()).map((service) => ({
    ...service,
    secrets: service.secrets.map(({ lastUsedAt, ...secret }) => secret),
  }));
  return JSON.stringify({ sessions: await Promise.all(sessions), services }, undefined, 1);
}
