import { IN_TIME } from './step.fragment.js';
import { KEEP, RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Touches sessions of one user.
 *
 * KEYS  login, sequence: the hash of the user, the number of its shard's last change.
 * ARGV  deadline; channel; feedKey; sessionIds: joined by commas.
 * Returns  { 'touched', header or an empty string for each id, in their order } or { 'late', now }.
 * Atomicity  each record is written or not. Versions do not change, and nothing is published. The next sweep of the user
 *       is not rescheduled: it finds nothing due and then sets the next time.
 */
export const touchSessionsScript = new RedisScript({
  name: 'touch-sessions',
  keys: ['login', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'sessionIds'],
  uses: [IN_TIME, RECORD, KEEP],
  body: `
local reply = { 'touched', lastNumber }
for sessionId in string.gmatch(sessionIds, '[^,]+') do
  local record = unpackRecord(sessionId, redis.call('HGET', login, sessionId))
  if record and record.state == LIVE and not isDue(record, now) then
    local payload = string.sub(record.value, record.bodyAt)
    access(record, now)
    local header = pack(LIVE, record)
    redis.call('HSET', login, sessionId, header .. payload)
    keep(record)
    table.insert(reply, header)
  else
    table.insert(reply, '')
  end
end
return reply
`,
});
