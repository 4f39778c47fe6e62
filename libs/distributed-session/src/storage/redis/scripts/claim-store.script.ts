import { RedisScript } from './redis-script.js';

/**
 * Stores the format, the oldest format that works with it and its release, the fingerprint of the tag key, and the key of
 * the change feed, unless the store has them already. The formats only rise: processes of releases below the oldest cannot
 * read what is written from now on, and stop.
 *
 * KEYS  meta: the hash that contains them.
 * ARGV  format; oldest; oldestRelease; fingerprint of the tag key; feedKey.
 * Returns  { format, oldest, oldestRelease, fingerprint, feedKey, earlier, switchAt } of the store.
 * Atomicity  if several processes run it at once, one of them writes all. The store of another tag key is not changed.
 */
export const claimStoreScript = new RedisScript({
  name: 'claim-store',
  keys: ['meta'],
  args: ['format', 'oldest', 'oldestRelease', 'fingerprint', 'feedKey'],
  body: `
redis.call('HSETNX', meta, 'fingerprint', fingerprint)
if redis.call('HGET', meta, 'fingerprint') == fingerprint then
  redis.call('HSETNX', meta, 'format', format)
  -- A store without it is of this format or an earlier one.
  if redis.call('HSETNX', meta, 'oldest', oldest) == 1 then redis.call('HSETNX', meta, 'oldestRelease', oldestRelease) end
  local stored = redis.call('HMGET', meta, 'format', 'oldest')
  if tonumber(stored[1]) < tonumber(format) then redis.call('HSET', meta, 'format', format) end
  if tonumber(stored[2]) < tonumber(oldest) then
    redis.call('HSET', meta, 'oldest', oldest, 'oldestRelease', oldestRelease)
  end
end
redis.call('HSETNX', meta, 'feedKey', feedKey)
return redis.call('HMGET', meta, 'format', 'oldest', 'oldestRelease', 'fingerprint', 'feedKey', 'earlier', 'switchAt')
`,
});
