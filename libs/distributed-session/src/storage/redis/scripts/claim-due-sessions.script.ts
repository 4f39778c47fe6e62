import { IN_TIME } from './clock.fragment.js';
import { CLAIM, LOGIN, SETTLE } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Claims due sessions of a login that the expiry set calls due, and schedules its next look.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the login and its shard.
 * ARGV  deadline; channel; tag; retention in milliseconds; limit: how many to claim at the most.
 * Returns  { 'claimed', number } or { 'late', now }.
 * Atomicity  each claimed session becomes its tombstone and is announced in this step; of several claims of one session
 *       the first finds it, so it is announced once. It is allowed when the server's memory is full.
 */
export const claimDueSessionsScript = new RedisScript({
  name: 'claim-due-sessions',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'tag', 'retention', 'limit'],
  uses: [IN_TIME, RECORD, LOGIN, CLAIM, SETTLE],
  body: `
load(now)
local claimed = 0
while #due > 0 and claimed < tonumber(limit) do
  claim(due[1], tonumber(retention))
  claimed = claimed + 1
end
settle(now)
return { 'claimed', lastNumber, claimed }
`,
});
