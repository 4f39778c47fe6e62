import type { RunningService } from './running-service.js';

/**
 * What a session service keeps, for a comparison of before and after: the sessions and their endings, bytes and all, and
 * the services. When a secret was last used is left out, for it is noted whether or not a request is refused.
 */
export async function stateOf({ storage }: Pick<RunningService, 'storage'>): Promise<unknown> {
  const { logins } = await storage.listLogins({ limit: 1_000 });
  const sessions = logins.map(async ({ loginId }) => ({
    live: await storage.listByLogin(loginId),
    ended: await storage.listHistory(loginId),
  }));
  const services = (await storage.services.list()).map((service) => ({
    ...service,
    secrets: service.secrets.map(({ lastUsedAt, ...secret }) => secret),
  }));
  return { sessions: await Promise.all(sessions), services };
}
