import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Removes a service and all its secrets, even if its record cannot be read.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; by, packed.
 * Returns  { 'removed' }, { 'missing' } or { 'late', now }.
 * Atomicity  the record and the key ids are removed and the change is published in one step.
 */
export const removeServiceScript = new RedisScript({
  name: 'remove-service',
  flags: ['allow-oom'],
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'by'],
  uses: [IN_TIME, SERVICE],
  body: `
local service, unreadable = readService(serviceId)
if not service and not unreadable then return { 'missing', lastNumber } end
for _, secret in ipairs(service and service.secrets or {}) do forget(service, secret) end
redis.call('HDEL', services, serviceId)
publishChange('revoked', serviceId, by)
return { 'removed', lastNumber }
`,
});
