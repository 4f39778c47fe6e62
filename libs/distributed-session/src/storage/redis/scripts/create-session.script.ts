import { IN_TIME } from './step.fragment.js';
import { EXPIRE, LOGIN, UPDATE_SHARD } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Creates a session within the limits of its user.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the user and its shard.
 * ARGV  deadline; channel; feedKey; tag; sessionId; identity, tokenDigest and payload, packed; loginId, packed, and loginAndDevice: the same with
 *       the packed device; perLogin, perDevice (0: no limit), onLimit; idle, absolute (0: none) and retention in
 *       milliseconds; by, packed.
 * Returns  { 'created', header }, { 'limit-reached', 'login' | 'device' }, { 'id-taken' } or { 'late', now }.
 * Atomicity  due sessions of the user expire, sessions over the limit end, and the session is written, counted,
 *       scheduled and published, all in one step. A rejected creation changes nothing.
 */
export const createSessionScript = new RedisScript({
  name: 'create-session',
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: [
    'deadline',
    'channel',
    'feedKey',
    'tag',
    'sessionId',
    'identity',
    'tokenDigest',
    'payload',
    'loginId',
    'loginAndDevice',
    'perLogin',
    'perDevice',
    'onLimit',
    'idle',
    'absolute',
    'retention',
    'by',
  ],
  uses: [IN_TIME, RECORD, LOGIN, EXPIRE, UPDATE_SHARD],
  body: `
if redis.call('HEXISTS', login, sessionId) == 1 then return { 'id-taken', lastNumber } end
load(now)

local function belonging(list, packed)
  local found = {}
  for _, record in ipairs(list) do
    if isOf(record, packed) then table.insert(found, record) end
  end
  return found
end
local function idlestFirst(a, b)
  return a.accessedAt < b.accessedAt or (a.accessedAt == b.accessedAt and a.place < b.place)
end
-- Moves the sessions that one more would displace from a list to a new one.
local function excess(list, maximum)
  local over, found = #list + 1 - maximum, {}
  if over > 0 and onLimit == 'end-idlest' then table.sort(list, idlestFirst) end
  for _ = 1, over do table.insert(found, table.remove(list, 1)) end
  return found
end

local all = lostAndLive()
local rest, replaced = belonging(all, loginId), {}
if tonumber(perDevice) > 0 then
  replaced = excess(belonging(all, loginAndDevice), tonumber(perDevice))
  for _, record in ipairs(replaced) do remove(rest, record) end
end
local limited = excess(rest, tonumber(perLogin))
if onLimit == 'reject' then
  if #replaced > 0 then return { 'limit-reached', lastNumber, 'device' } end
  if #limited > 0 then return { 'limit-reached', lastNumber, 'login' } end
end

while #due > 0 do expire(due[1], tonumber(retention)) end
local function makeRoom(record, reason)
  endRecord(record, text(reason) .. by .. '\\255\\255\\255\\255', now, 0, tonumber(retention), 'E', loginId)
end
for _, record in ipairs(replaced) do makeRoom(record, 'replaced') end
for _, record in ipairs(limited) do makeRoom(record, 'limit') end

local record = { id = sessionId, identity = identity, digest = tokenDigest, state = LIVE, version = 1, place = lastPlace + 1, createdAt = now,
  accessedAt = now, limit = tonumber(absolute) > 0 and now + tonumber(absolute) or 0, span = tonumber(idle),
  retention = tonumber(retention) }
access(record, now)
local header = pack(LIVE, record)
redis.call('HSET', login, sessionId, header .. payload)
table.insert(live, record)
publishChange('C', 1, now, by, identity)
updateShard(now)
return { 'created', lastNumber, header }
`,
});
