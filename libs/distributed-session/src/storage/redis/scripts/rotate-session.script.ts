import { SESSION_ID_BYTES } from '../records/stored-session.js';
import { IN_TIME } from './step.fragment.js';
import { LOGIN } from './login.fragment.js';
import { KEEP, RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Moves a live session at the expected version to a new id, token digest and payload.
 *
 * KEYS  login, sequence: the hash of the user, the number of its shard's last change.
 * ARGV  deadline; channel; feedKey; sessionId; expectedVersion; successorId; tokenDigest, packed; payload; ending, packed, with
 *       the successor's id; grace and retention in milliseconds.
 * Returns  { 'rotated', header }, { 'id-taken' }, { 'conflict' | 'already-ended' | 'due' | 'unreadable', value },
 *       { 'missing' }, { 'newer' } or { 'late', now }.
 * Atomicity  the successor and the tombstone are written and one change is published, or nothing happens. The number of
 *       live sessions does not change and no expiry becomes earlier, so the shard's keys are not updated.
 */
export const rotateSessionScript = new RedisScript({
  name: 'rotate-session',
  keys: ['login', 'sequence'],
  args: [
    'deadline',
    'channel',
    'feedKey',
    'sessionId',
    'expectedVersion',
    'successorId',
    'tokenDigest',
    'payload',
    'ending',
    'grace',
    'retention',
  ],
  uses: [IN_TIME, RECORD, KEEP, LOGIN],
  body: `
load(now)
local record = byId[sessionId]
local refused = writeRefusal(sessionId, record, expectedVersion, now)
if refused then return refused end
if redis.call('HEXISTS', login, successorId) == 1 then return { 'id-taken', lastNumber } end

local successor = { version = 1, place = record.place, createdAt = record.createdAt, accessedAt = record.accessedAt,
  limit = record.limit, span = record.span, retention = record.retention, digest = tokenDigest,
  identity = successorId .. string.sub(record.identity, ${SESSION_ID_BYTES + 1}) }
access(successor, now)
local header = pack(LIVE, successor)
redis.call('HSET', login, successorId, header .. payload)
endRecord(record, ending, now, now + tonumber(grace), tonumber(retention), 'R')
prune(now)
keep(successor)
keep({ endsAt = now, retention = tonumber(retention) })
return { 'rotated', lastNumber, header }
`,
});
