import { readFile } from 'node:fs/promises';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** The roles in docs/redis-acl. */
export const ACL_ROLES = ['sessions', 'registry', 'reader', 'monitor', 'owner'] as const;

export type AclRole = (typeof ACL_ROLES)[number];

export const ACL_PASSWORD = 'password-of-the-test';

/** Creates a user with the rules of one role, or of two, as docs/redis.md describes it. Returns its name. */
export async function createAclUser(server: RedisServer, ...roles: readonly AclRole[]): Promise<string> {
  const name = `ds-${roles.join('-')}`;
  const [first, ...others] = await Promise.all(roles.map(rulesOf));
  const added = others.flat().filter((rule) => !/^(?:on|-@all|&.*|reset\w+|clearselectors)$/u.test(rule));
  await server.call('ACL', 'SETUSER', name, ...first!, ...added, `>${ACL_PASSWORD}`);
  return name;
}

/** The rules of a role, without the name of its user. */
export async function rulesOf(role: AclRole): Promise<string[]> {
  return (await readFile(`docs/redis-acl/${role}.acl`, 'utf8')).trim().split(' ').slice(2);
}

export function urlOf({ port }: RedisServer, user: string): string {
  return `redis://${user}:${ACL_PASSWORD}@127.0.0.1:${port}`;
}
