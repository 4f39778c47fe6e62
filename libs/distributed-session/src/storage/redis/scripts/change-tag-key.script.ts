import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Makes another key of the tags the current one, from a time that every process learns before it comes.
 *
 * KEYS  meta: the hash that contains the fingerprints.
 * ARGV  expected: the fingerprint of the current key; next: that of the new one; lead: milliseconds until it is used.
 * Returns  1 if it was changed, 0 if the current key is another one or has not been used yet.
 * Atomicity  of several processes that change the key at once, one does.
 */
export const changeTagKeyScript = new RedisScript({
  name: 'change-tag-key',
  keys: ['meta'],
  args: ['expected', 'next', 'lead'],
  uses: [NOW],
  body: `
local stored = redis.call('HMGET', meta, 'fingerprint', 'earlier', 'switchAt')
if stored[1] ~= expected or tonumber(stored[3] or 0) > now then return 0 end
local earlier = expected
for fingerprint in string.gmatch(stored[2] or '', '%x+') do
  if fingerprint ~= expected and fingerprint ~= next then earlier = earlier .. ' ' .. fingerprint end
end
redis.call('HSET', meta, 'fingerprint', next, 'earlier', earlier, 'switchAt', string.format('%.0f', now + lead))
return 1
`,
});

/**
 * Forgets earlier keys of the tags, under which no session is live.
 *
 * KEYS  meta: the hash that contains the fingerprints.
 * ARGV  expected: the fingerprints of the earlier keys, separated by spaces; earlier: those that stay.
 * Returns  1 if they were changed, 0 if others are stored.
 * Atomicity  one hash is written or not.
 */
export const forgetTagKeysScript = new RedisScript({
  name: 'forget-tag-keys',
  keys: ['meta'],
  args: ['expected', 'earlier'],
  body: `
if redis.call('HGET', meta, 'earlier') ~= expected then return 0 end
redis.call('HSET', meta, 'earlier', earlier)
return 1
`,
});
