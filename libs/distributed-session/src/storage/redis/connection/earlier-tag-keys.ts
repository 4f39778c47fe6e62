import { LoginSessions } from '../login-sessions.js';
import { forgetTagKeysScript } from '../scripts/change-tag-key.script.js';
import { SHARDS, type SessionKeys } from '../session-keys.js';
import type { StoredTagKeys } from '../tag-keys.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisRights } from './redis-rights.js';

const SHARDS_AT_A_TIME = 16;
const LOGINS_AT_A_TIME = 64;

const KEEP_IT = 'keep that one as a further entry of tagKey until they have ended (docs/keys.md)';
const IN_USE = `it has live sessions under an earlier tagKey that this process does not have: ${KEEP_IT}`;
const UNKNOWN = `it may have live sessions under an earlier tagKey that this process does not have: ${KEEP_IT}, or raise connectDeadlineMs`;

/**
 * Checks that this process would find all sessions of a user: none is live under an earlier key that it does not have.
 * Looks at the users who are online until it finds such a session. If there is none, the store forgets the keys, so that
 * the next start need not look again. Returns an error, or `undefined`.
 */
export async function earlierTagKeyError(
  connection: RedisConnection,
  keys: SessionKeys,
  stored: StoredTagKeys,
  rights: RedisRights,
  endsAt: number,
): Promise<string | undefined> {
  const kept = stored.earlier.filter((fingerprint) => keys.tagKeys.has(fingerprint));
  if (kept.length === stored.earlier.length || !rights.may('read-sessions')) return undefined;
  const [seconds, microseconds] = (await connection.read('time')) as readonly Buffer[];
  const now = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  if (now <= stored.switchAt) return IN_USE;
  for (let at = 0; at < SHARDS.length; at += SHARDS_AT_A_TIME) {
    const shards = SHARDS.slice(at, at + SHARDS_AT_A_TIME);
    const found = await Promise.all(shards.map(async (shard) => hasOthers(connection, keys, shard, now, endsAt)));
    if (found.includes(true)) return IN_USE;
    if (performance.now() > endsAt) return UNKNOWN;
  }
  if (rights.may('upgrade')) {
    const args = { expected: stored.earlier.join(' '), earlier: kept.join(' ') };
    await connection.run(forgetTagKeysScript, { meta: keys.meta }, args);
  }
  return undefined;
}

/** Returns whether a user of a shard has a live session under a key that this process does not have. */
async function hasOthers(
  connection: RedisConnection,
  keys: SessionKeys,
  shard: string,
  now: number,
  endsAt: number,
): Promise<boolean> {
  const { online } = keys.shard(shard);
  let start = '-';
  while (performance.now() <= endsAt) {
    const page = await connection.read('zrangebylex', online, start, '+', 'LIMIT', 0, LOGINS_AT_A_TIME);
    const tags = (page as readonly Buffer[]).map(String);
    if (tags.length === 0) return false;
    const found = await Promise.all(tags.map(async (tag) => isOther(connection, keys, tag, now)));
    if (found.includes(true)) return true;
    start = `(${tags.at(-1)}`;
  }
  return false;
}

async function isOther(connection: RedisConnection, keys: SessionKeys, tag: string, now: number): Promise<boolean> {
  const key = keys.login(tag);
  const sessions = new LoginSessions(key, (await connection.read('hgetall', key)) as readonly Buffer[]);
  return sessions.onlineLogins(now).some(({ loginId }) => !keys.tagKeys.tagsOf(loginId).includes(tag));
}
