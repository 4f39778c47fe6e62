import { RedisScript } from './redis-script.js';

/**
 * Stores the format, the fingerprint of the tag key, and the key of the change feed, unless the store has them already.
 * An earlier format is replaced: processes of earlier releases cannot read what is written from now on, and stop.
 *
 * KEYS  meta: the hash that contains them.
 * ARGV  format; fingerprint of the tag key; feedKey.
 * Returns  { format, fingerprint, feedKey } of the store.
 * Atomicity  if several processes run it at once, one of them writes all three. The store of another tag key is not
 *       changed.
 */
export const claimStoreScript = new RedisScript({
  name: 'claim-store',
  keys: ['meta'],
  args: ['format', 'fingerprint', 'feedKey'],
  body: `
redis.call('HSETNX', meta, 'format', format)
redis.call('HSETNX', meta, 'fingerprint', fingerprint)
redis.call('HSETNX', meta, 'feedKey', feedKey)
local claim = redis.call('HMGET', meta, 'format', 'fingerprint', 'feedKey')
if claim[2] == fingerprint and tonumber(claim[1]) < tonumber(format) then
  redis.call('HSET', meta, 'format', format)
  claim[1] = format
end
return claim
`,
});
