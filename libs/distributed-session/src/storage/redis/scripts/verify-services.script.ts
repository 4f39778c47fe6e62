import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Writes, reads and removes a field as the scripts of services do.
 *
 * KEYS  keyIds: the hash from key ids to service ids.
 * ARGV  deadline; field: one that no service has; bytes.
 * Returns  { 'used', 0, bytes as they were stored, 'none' if the field is removed } or { 'late', now }.
 * Atomicity  nothing is left.
 */
export const verifyServicesScript = new RedisScript({
  name: 'verify-services',
  keys: ['keyIds'],
  args: ['deadline', 'field', 'bytes'],
  uses: [IN_TIME],
  body: `
redis.call('HSET', keyIds, field, bytes)
local stored = redis.call('HGET', keyIds, field)
redis.call('HDEL', keyIds, field)
return { 'used', 0, stored, redis.call('HGET', keyIds, field) or 'none' }
`,
});
