import { FIRST_FORMAT, FORMAT, HEADER_BYTES, LAST_OF_LAYOUT, SESSION_ID_BYTES } from '../records/stored-session.js';
import { NUMBERED } from './step.fragment.js';

/**
 * Reads and writes the header of a record (its layout: `records/stored-session.ts`), and publishes changes. Requires the
 * keys `login` and `sequence` and the argument `channel`. A record of a later release with the same layout is `newer`: it
 * keeps its format, and its payload is neither read nor replaced. An unreadable record is `nil`: it is left unchanged and
 * does not affect other sessions.
 */
export const RECORD = `
${NUMBERED.trim()}

local HEADER = '<BBI4I4ddddddH'
local LIVE, ENDED = 76, 69
local ABSENT = '\\255\\255'

local function text(value)
  return struct.pack('<Hc0', #value, value)
end

local function pack(state, record)
  return struct.pack(HEADER, record.newer or ${FORMAT}, state, record.version, record.place, record.createdAt, record.accessedAt,
    record.endsAt, record.limit, record.span, record.retention, #record.identity) .. record.identity .. record.digest
end

-- The position after the packed text at a position; nil if the value ends before.
local function afterText(value, at)
  local low, high = string.byte(value, at, at + 1)
  if not high then return nil end
  local length = low + 256 * high
  local after = at + 2 + (length == 65535 and 0 or length)
  return after <= #value + 1 and after or nil
end

-- Whether an identity has the session id under which it was found, and its three texts fill it exactly.
local function isIdentity(id, value, size)
  local at, last = ${HEADER_BYTES + SESSION_ID_BYTES + 1}, ${HEADER_BYTES} + size
  if string.sub(value, ${HEADER_BYTES + 1}, at - 1) ~= id then return false end
  for _ = 1, 3 do
    at = afterText(value, at)
    if not at then return false end
  end
  return at == last + 1
end

local function isTime(time)
  return time >= 0 and time < 2 ^ 53 and time % 1 == 0
end

local function unpackRecord(id, value)
  if not value or #value < ${HEADER_BYTES} then return nil end
  local format, state, version, place, createdAt, accessedAt, endsAt, limit, span, retention, size =
    struct.unpack(HEADER, value)
  if format < ${FIRST_FORMAT} or format > ${LAST_OF_LAYOUT} then return nil end
  if (state ~= LIVE and state ~= ENDED) or #value < ${HEADER_BYTES} + size then return nil end
  if not (isIdentity(id, value, size) and isTime(createdAt) and isTime(accessedAt) and isTime(endsAt)
    and isTime(limit) and isTime(span) and isTime(retention)) then
    return nil
  end
  local digestAt = ${HEADER_BYTES + 1} + size
  local hasDigest = format ~= ${FIRST_FORMAT}
  local bodyAt = hasDigest and afterText(value, digestAt) or digestAt
  if hasDigest and bodyAt == digestAt then return nil end
  return { id = id, value = value, state = state, version = version, place = place, createdAt = createdAt,
    accessedAt = accessedAt, endsAt = endsAt, limit = limit, span = span, retention = retention,
    identity = string.sub(value, ${HEADER_BYTES + 1}, digestAt - 1), bodyAt = bodyAt,
    digest = hasDigest and string.sub(value, digestAt, bodyAt - 1) or ABSENT,
    newer = format > ${FORMAT} and format or nil }
end

-- A time that is not a number counts as due.
local function isDue(record, now)
  return not (now < record.endsAt)
end

-- The reply of a write to a session that is not live; nil for a live one. A tombstone past its retention is missing.
local function refusal(sessionId, record, now)
  if not record then
    local value = redis.call('HGET', login, sessionId)
    return value and { 'unreadable', 0, value } or { 'missing', 0 }
  end
  if record.state == ENDED then
    return now < record.limit and { 'already-ended', 0, record.value } or { 'missing', 0 }
  end
  return isDue(record, now) and { 'due', 0, record.value } or nil
end

-- The reply of a write of the payload: nil for a live session at this version that this release can write.
local function writeRefusal(sessionId, record, expectedVersion, now)
  local refused = refusal(sessionId, record, now)
  if refused then return refused end
  if record.newer then return { 'newer', 0 } end
  return record.version ~= tonumber(expectedVersion) and { 'conflict', 0, record.value } or nil
end

-- Touches a session: no time moves backwards, and the absolute expiry does not change.
local function access(record, now)
  record.accessedAt = math.max(record.accessedAt, now)
  local idleEnd = record.span > 0 and record.accessedAt + record.span or math.huge
  record.endsAt = math.min(idleEnd, record.limit > 0 and record.limit or math.huge)
end

-- Whether a record belongs to a login id, or to a login id and a device, packed as texts.
local function startsWith(record, packed)
  return string.sub(record.identity, ${SESSION_ID_BYTES + 1}, ${SESSION_ID_BYTES} + #packed) == packed
end

local function publishChange(kind, version, at, what, identity)
  publish(kind, struct.pack('<I4d', version, at) .. what .. identity)
end
`;

/** How much longer than its history a user's hash is kept, so that a sweep can still publish its last expiry. */
export const UNSWEPT_MARGIN_MS = 86_400_000;

/**
 * Extends the time to live of a user's hash (key `login`). Used after a record was written without reading the others;
 * it never shortens the time to live.
 */
export const KEEP = `
local function keep(record)
  local till = record.endsAt + record.retention + ${UNSWEPT_MARGIN_MS}
  redis.call('PEXPIREAT', login, string.format('%.0f', till), 'GT')
end
`;
