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

local rest, replaced = {}, {}
local onDevice = 0
if tonumber(perDevice) > 0 then
  for _, record in ipairs(live) do
    if startsWith(record, loginAndDevice) then onDevice = onDevice + 1 end
  end
end
local overDevice = tonumber(perDevice) > 0 and math.max(0, onDevice + 1 - tonumber(perDevice)) or 0
for _, record in ipairs(live) do
  if #replaced < overDevice and startsWith(record, loginAndDevice) then
    table.insert(replaced, record)
  elseif startsWith(record, loginId) then
    table.insert(rest, record)
  end
end
local overLogin = math.max(0, #rest + 1 - tonumber(perLogin))
if onLimit == 'reject' then
  if #replaced > 0 then return { 'limit-reached', lastNumber, 'device' } end
  if overLogin > 0 then return { 'limit-reached', lastNumber, 'login' } end
end

while #due > 0 do expire(due[1], tonumber(retention)) end
local function makeRoom(record, reason)
  endRecord(record, text(reason) .. by .. '\\255\\255\\255\\255', now, 0, tonumber(retention))
end
for _, record in ipairs(replaced) do makeRoom(record, 'replaced') end
for at = 1, overLogin do makeRoom(rest[at], 'limit') end

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
