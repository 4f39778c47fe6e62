import { IN_TIME } from './step.fragment.js';
import { LOGIN, UPDATE_SHARD } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Ends a session. Runs also when the server's memory is full: a tombstone is smaller than its session.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the user and its shard.
 * ARGV  deadline; channel; feedKey; tag; sessionId; ending, packed; retention in milliseconds.
 * Returns  { 'ended', tombstone }, { 'removed' }: the record could not be read, nor could any other of the user, { 'already-ended' | 'due' | 'unreadable', value }, { 'missing' }
 *       or { 'late', now }.
 * Atomicity  the tombstone is written, the counts are updated and the end is published, or nothing happens.
 */
export const endSessionScript = new RedisScript({
  name: 'end-session',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'feedKey', 'tag', 'sessionId', 'ending', 'retention'],
  uses: [IN_TIME, RECORD, LOGIN, UPDATE_SHARD],
  body: `
load(now)
local record = byId[sessionId]
for _, each in ipairs(lost) do
  if each.id == sessionId then record = each end
end
local refused = not (record and record.lost) and refusal(sessionId, record, now)
if refused then return refused end
local packedLogin = anyLogin()
if not (record.identity or packedLogin) then
  remove(lost, record)
  redis.call('HDEL', login, sessionId)
  publish('X', sessionId)
  updateShard(now)
  return { 'removed', lastNumber }
end
local value = endRecord(record, ending, now, 0, tonumber(retention), 'E', packedLogin)
updateShard(now)
return { 'ended', lastNumber, value }
`,
});
