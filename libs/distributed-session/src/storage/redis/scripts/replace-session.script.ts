import { IN_TIME } from './step.fragment.js';
import { KEEP, RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Replaces the payload, and the token digest if one is given, of a live session at the expected version.
 *
 * KEYS  login, sequence: the hash of the user, the number of its shard's last change.
 * ARGV  deadline; channel; feedKey; sessionId; expectedVersion; touch: '1' if the write touches the session; tokenDigest,
 *       packed, or empty to keep it; payload; by, packed.
 * Returns  { 'replaced', header }, { 'conflict' | 'already-ended' | 'due' | 'unreadable', value }, { 'missing' },
 *       { 'newer' } or { 'late', now }. A tombstone past its retention is missing.
 * Atomicity  one record is written and published, or nothing happens.
 */
export const replaceSessionScript = new RedisScript({
  name: 'replace-session',
  keys: ['login', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'sessionId', 'expectedVersion', 'touch', 'tokenDigest', 'payload', 'by'],
  uses: [IN_TIME, RECORD, KEEP],
  body: `
local record = unpackRecord(sessionId, redis.call('HGET', login, sessionId))
local refused = writeRefusal(sessionId, record, expectedVersion, now)
if refused then return refused end
record.version = record.version + 1
if touch == '1' then access(record, now) end
if tokenDigest ~= '' then record.digest = tokenDigest end
local header = pack(LIVE, record)
redis.call('HSET', login, sessionId, header .. payload)
keep(record)
publishChange('U', record.version, now, by, record.identity)
return { 'replaced', lastNumber, header }
`,
});
