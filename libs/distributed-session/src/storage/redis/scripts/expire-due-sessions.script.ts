import { IN_TIME } from './step.fragment.js';
import { EXPIRE, LOGIN, UPDATE_SHARD } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Expires the due sessions of a user that the expiry set lists, and schedules the next look.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the login and its shard.
 * ARGV  deadline; channel; feedKey; tag; retention in milliseconds; limit: the maximum number to expire.
 * Returns  { 'expired', number } or { 'late', now }.
 * Atomicity  each expired session becomes its tombstone and is published in this step. Only the first of several
 *       processes finds it due, so its end is published once. Runs also when the server's memory is full.
 */
export const expireDueSessionsScript = new RedisScript({
  name: 'expire-due-sessions',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'feedKey', 'tag', 'retention', 'limit'],
  uses: [IN_TIME, RECORD, LOGIN, EXPIRE, UPDATE_SHARD],
  body: `
load(now)
local expired = 0
while #due > 0 and expired < tonumber(limit) do
  expire(due[1], tonumber(retention))
  expired = expired + 1
end
updateShard(now)
return { 'expired', lastNumber, expired }
`,
});
