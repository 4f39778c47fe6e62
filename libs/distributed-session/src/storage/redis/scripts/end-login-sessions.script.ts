import { IN_TIME } from './step.fragment.js';
import { LOGIN, UPDATE_SHARD } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Ends the live sessions of a user. Runs also when the server's memory is full.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the user and its shard.
 * ARGV  deadline; channel; feedKey; tag; loginAndDevice: the packed login id, followed by the packed device to end only its
 *       sessions; exceptId: the session to keep, or empty; ending, packed; retention in milliseconds.
 * Returns  { 'ended', tombstone, … }, oldest session first, or { 'late', now }.
 * Atomicity  all of them end, leave the counts and are published in one step.
 */
export const endLoginSessionsScript = new RedisScript({
  name: 'end-login-sessions',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'feedKey', 'tag', 'loginAndDevice', 'exceptId', 'ending', 'retention'],
  uses: [IN_TIME, RECORD, LOGIN, UPDATE_SHARD],
  body: `
load(now)
local chosen = {}
for _, record in ipairs(lostAndLive()) do
  if record.id ~= exceptId and isOf(record, loginAndDevice) then table.insert(chosen, record) end
end
local packedLogin = string.sub(loginAndDevice, 1, afterText(loginAndDevice, 1) - 1)
local reply = { 'ended', 0 }
for _, record in ipairs(chosen) do
  table.insert(reply, endRecord(record, ending, now, 0, tonumber(retention), 'E', packedLogin))
end
if #chosen > 0 then updateShard(now) end
reply[2] = lastNumber
return reply
`,
});
