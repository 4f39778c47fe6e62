import { IN_TIME } from './clock.fragment.js';
import { LOGIN, SETTLE } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Ends the live sessions of a login. It is allowed when the server's memory is full.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the login and its shard.
 * ARGV  deadline; channel; tag; who: the packed login id, with the packed device where only that device is meant;
 *       exceptId: the session that stays, or empty; ending, packed; retention in milliseconds.
 * Returns  { 'ended', tombstone, … }, oldest session first, or { 'late', now }.
 * Atomicity  all of them end, are no longer counted and are announced in one step.
 */
export const endLoginSessionsScript = new RedisScript({
  name: 'end-login-sessions',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'tag', 'who', 'exceptId', 'ending', 'retention'],
  uses: [IN_TIME, RECORD, LOGIN, SETTLE],
  body: `
load(now)
local chosen = {}
for _, record in ipairs(live) do
  if record.id ~= exceptId and startsWith(record, who) then table.insert(chosen, record) end
end
local reply = { 'ended', 0 }
for _, record in ipairs(chosen) do table.insert(reply, bury(record, ending, now, 0, tonumber(retention))) end
if #chosen > 0 then settle(now) end
reply[2] = lastNumber
return reply
`,
});
