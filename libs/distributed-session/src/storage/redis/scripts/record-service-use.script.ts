import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Records that a secret was used now. Does nothing if the secret or the service no longer exists.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; keyId.
 * Returns  { 'noted' } or { 'late', now }.
 * Atomicity  one record is written or not. Its version does not change, and nothing is published.
 */
export const recordServiceUseScript = new RedisScript({
  name: 'record-service-use',
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'keyId'],
  uses: [IN_TIME, SERVICE],
  body: `
local service = readService(serviceId)
for _, secret in ipairs(service and service.secrets or {}) do
  if secret.keyId == keyId then
    secret.usedAt = math.max(secret.usedAt, now)
    writeService(service)
  end
end
return { 'noted', lastNumber }
`,
});
