import { HISTORY_LIMIT } from '../../session-storage.js';
import { HEADER_BYTES, SESSION_ID_BYTES } from '../records/stored-session.js';
import { UNSWEPT_MARGIN_MS } from './record.fragment.js';

/** A user's score in the expiry set: its earliest expiry times this, plus the number of its live sessions. */
export const SCORE_UNIT = 1024;
/** Later expiries are scheduled for this time, in the year 2248, so that a score remains a whole number of 53 bits. */
const LAST_EXPIRY = 2 ** 43 - 1;

/**
 * Loads all sessions of a user (key `login`), and replaces sessions by tombstones. Requires `RECORD`. A live session whose
 * record cannot be read is `lost`: it counts, is older than the others, never expires, and can be ended.
 */
export const LOGIN = `
local byId, live, due, ended, lost = {}, {}, {}, {}, {}
local lastPlace, lastEnd = 0, 0

local function inPlace(a, b) return a.place < b.place end
local function byEnd(a, b) return a.endsAt < b.endsAt or (a.endsAt == b.endsAt and a.place < b.place) end

-- A live session of which no more is known than its identity, or only its id; nil for one that has ended.
local function lostRecord(id, value)
  if string.byte(value, 2) == ENDED then return nil end
  local size = #value >= ${HEADER_BYTES} and struct.unpack('<H', value, ${HEADER_BYTES - 1}) or #value
  local isIntact = #value >= ${HEADER_BYTES} + size and isIdentity(id, value, size)
  return { id = id, lost = true, place = 0, accessedAt = 0, digest = ABSENT,
    identity = isIntact and string.sub(value, ${HEADER_BYTES + 1}, ${HEADER_BYTES} + size) or nil }
end

-- Whether a record belongs to a login id, or to a login id and a device, packed as texts. A lost one without an identity
-- belongs to any login id.
local function isOf(record, packed)
  if record.identity then return startsWith(record, packed) end
  return afterText(packed, 1) == #packed + 1
end

-- The lost sessions, then the live ones in the order of their creation.
local function lostAndLive()
  if #lost == 0 then return live end
  local all = {}
  for _, list in ipairs({ lost, live }) do
    for _, record in ipairs(list) do table.insert(all, record) end
  end
  return all
end

-- The packed login id of any readable session; nil if there is none.
local function anyLogin()
  for _, list in ipairs({ live, due, ended }) do
    if list[1] then
      local identity = list[1].identity
      return string.sub(identity, ${SESSION_ID_BYTES + 1}, afterText(identity, ${SESSION_ID_BYTES + 1}) - 1)
    end
  end
end

local function load(now)
  local fields = redis.call('HGETALL', login)
  for at = 1, #fields, 2 do
    local record = unpackRecord(fields[at], fields[at + 1])
    if record then
      byId[record.id] = record
      if record.state == ENDED then
        table.insert(ended, record)
        lastEnd = math.max(lastEnd, record.place)
      else
        table.insert(isDue(record, now) and due or live, record)
        lastPlace = math.max(lastPlace, record.place)
      end
    else
      table.insert(lost, lostRecord(fields[at], fields[at + 1]))
    end
  end
  table.sort(live, inPlace)
  table.sort(due, byEnd)
end

local function remove(list, record)
  for at = 1, #list do
    if list[at] == record then return table.remove(list, at) end
  end
end

-- Replaces a live session by its tombstone, publishes the change and returns the stored value. The tombstone of a lost one
-- says what is known of it; its user is the given one.
local function endRecord(record, ending, endedAt, graceEndsAt, retention, kind, packedLogin)
  remove(live, record)
  remove(due, record)
  if record.lost then
    remove(lost, record)
    record.identity = record.identity or record.id .. packedLogin .. ABSENT .. text('@unknown')
    record.version, record.createdAt, record.accessedAt = 1, endedAt, endedAt
  end
  record.newer = nil
  lastEnd = lastEnd + 1
  record.state, record.place, record.endsAt, record.limit = ENDED, lastEnd, endedAt, endedAt + retention
  record.span, record.retention = graceEndsAt, 0
  local value = pack(ENDED, record) .. ending
  redis.call('HSET', login, record.id, value)
  table.insert(ended, record)
  publishChange(kind or 'E', record.version, endedAt, ending, record.identity)
  return value
end

-- Deletes tombstones past their retention, and those beyond the history limit.
local function prune(now)
  table.sort(ended, byEnd)
  local surplus = #ended - ${HISTORY_LIMIT}
  for at = #ended, 1, -1 do
    if at <= surplus or not (now < ended[at].limit) then
      redis.call('HDEL', login, ended[at].id)
      table.remove(ended, at)
    end
  end
end
`;

/** Expires a due session. Requires `LOGIN`. */
export const EXPIRE = `
local function expire(record, retention)
  local absolute = record.limit > 0 and not (record.endsAt < record.limit)
  local ending = text(absolute and 'absolute-timeout' or 'idle-timeout') .. text('@expiry') .. '\\255\\255\\255\\255'
  endRecord(record, ending, record.endsAt, 0, retention)
end
`;

/**
 * Updates a user's entries in its shard after its sessions were loaded and changed: the hash's time to live, the next
 * sweep, whether the user is online, and the number of live sessions. Requires `LOGIN`, the keys `login`, `expiries`,
 * `online` and `counter`, and the argument `tag`. The score contains the number that was counted, so that the counter
 * can be corrected even if the hash has vanished.
 */
export const UPDATE_SHARD = `
local function updateShard(now)
  prune(now)
  local count, earliest, till = #live + #due + #lost, ${LAST_EXPIRY}, 0
  -- When a lost session ends is unknown: the sweep looks again whether its hash still exists.
  if #lost > 0 then earliest = now + ${UNSWEPT_MARGIN_MS} end
  for _, list in ipairs({ live, due }) do
    for _, record in ipairs(list) do
      earliest = math.min(earliest, record.endsAt)
      till = math.max(till, record.endsAt + record.retention + ${UNSWEPT_MARGIN_MS})
    end
  end
  for _, record in ipairs(ended) do till = math.max(till, record.limit) end
  if till > 0 and #lost == 0 then redis.call('PEXPIREAT', login, string.format('%.0f', till)) end
  if till > 0 and #lost > 0 then redis.call('PEXPIREAT', login, string.format('%.0f', till), 'GT') end

  local armed = tonumber(redis.call('ZSCORE', expiries, tag) or 0)
  local counted = armed % ${SCORE_UNIT}
  if count ~= counted and redis.call('INCRBY', counter, count - counted) <= 0 then redis.call('DEL', counter) end
  if count == 0 then
    if armed > 0 then
      redis.call('ZREM', expiries, tag)
      redis.call('ZREM', online, tag)
    end
    return
  end
  local score = earliest * ${SCORE_UNIT} + count
  if score ~= armed then redis.call('ZADD', expiries, string.format('%.0f', score), tag) end
  if counted == 0 then redis.call('ZADD', online, 0, tag) end
end
`;
