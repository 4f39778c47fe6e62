import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/** How long a probe lives if its process dies before it removes it. */
const PROBE_MS = 60_000;

/**
 * Writes a probe as the scripts of sessions write a record: only at the expected version.
 *
 * KEYS  probe: a hash that no other process uses, in the place of a user's.
 * ARGV  deadline; expected: the version, 0 for none; bytes.
 * Returns  { 'written', lastNumber, bytes as they are stored }, { 'conflict' } or { 'late', now }.
 * Atomicity  the probe is written with a time to live, or nothing happens.
 */
export const writeProbeScript = new RedisScript({
  name: 'write-probe',
  keys: ['probe'],
  args: ['deadline', 'expected', 'bytes'],
  uses: [IN_TIME],
  body: `
local version = tonumber(redis.call('HGET', probe, 'version') or 0)
if version ~= tonumber(expected) then return { 'conflict', 0 } end
redis.call('HSET', probe, 'version', string.format('%.0f', version + 1))
redis.call('HSET', probe, 'bytes', bytes)
redis.call('PEXPIREAT', probe, string.format('%.0f', now + ${PROBE_MS}))
return { 'written', 0, redis.call('HGET', probe, 'bytes') }
`,
});

/**
 * Uses every type of value and every command as the scripts of sessions do, and removes the probe.
 *
 * KEYS  probe: as for write-probe.
 * ARGV  deadline; number: a whole number of 53 bits, which is not the highest.
 * Returns  { 'used', 0, each result as text, in the order of the commands in the body } or { 'late', now }.
 * Atomicity  nothing is left.
 */
export const useTypesScript = new RedisScript({
  name: 'use-types',
  keys: ['probe'],
  args: ['deadline', 'number'],
  uses: [IN_TIME],
  body: `
local reply = { 'used', 0 }
local function result(value)
  if type(value) == 'table' then value = table.concat(value, ' ') end
  if type(value) == 'number' then value = string.format('%.0f', value) end
  table.insert(reply, value and tostring(value) or 'none')
end

result(redis.call('HEXISTS', probe, 'version'))
result(redis.call('HDEL', probe, 'version', 'absent'))
result(redis.call('HGET', probe, 'version'))
result(redis.call('PEXPIREAT', probe, string.format('%.0f', now + 1), 'GT'))
result(redis.call('PEXPIREAT', probe, string.format('%.0f', now + 2 * ${PROBE_MS}), 'GT'))
result(redis.call('PEXPIREAT', probe, string.format('%.0f', now - 1)))
result(redis.call('HEXISTS', probe, 'bytes'))

redis.call('ZADD', probe, number, 'b', '0', 'c')
redis.call('ZADD', probe, '0', 'a')
result(redis.call('ZSCORE', probe, 'b'))
result(redis.call('ZRANGEBYSCORE', probe, number, number))
redis.call('ZREM', probe, 'b')
result(redis.call('ZRANGEBYLEX', probe, '(a', '+', 'LIMIT', 0, 5))
result(redis.call('ZCARD', probe))
redis.call('DEL', probe)

redis.call('INCRBY', probe, number)
result(redis.call('INCR', probe))
redis.call('EXPIRE', probe, 60)
result(redis.call('DEL', probe))
return reply
`,
});
