import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Finds a service by its id, or by the key id of one of its secrets, together with the server's time: an ended secret
 * must not count as valid because this process's clock is wrong.
 *
 * KEYS  services, keyIds.
 * ARGV  serviceId; keyId: looked up when the service id is empty.
 * Returns  { now, value } or { now }.
 * Atomicity  the time, the key id and the record belong to one moment.
 */
export const findServiceScript = new RedisScript({
  name: 'find-service',
  flags: ['no-writes'],
  keys: ['services', 'keyIds'],
  args: ['serviceId', 'keyId'],
  uses: [NOW],
  body: `
if serviceId == '' then serviceId = redis.call('HGET', keyIds, keyId) end
if not serviceId then return { now } end
return { now, redis.call('HGET', services, serviceId) }
`,
});
