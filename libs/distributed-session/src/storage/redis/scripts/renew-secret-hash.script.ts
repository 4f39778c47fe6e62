import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Replaces the hash of a secret if it is still the expected one.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; keyId; expectedHash and hash (JSON) of the secret.
 * Returns  { 'renewed' }, { 'changed' } or { 'late', now }.
 * Atomicity  one record is written or not. Its version does not change, and nothing is published.
 */
export const renewSecretHashScript = new RedisScript({
  name: 'renew-secret-hash',
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'keyId', 'expectedHash', 'hash'],
  uses: [IN_TIME, SERVICE],
  body: `
local service = readService(serviceId)
for _, secret in ipairs(service and service.secrets or {}) do
  if secret.keyId == keyId and secret.hash == expectedHash then
    secret.hash = hash
    writeService(service)
    return { 'renewed', lastNumber }
  end
end
return { 'changed', lastNumber }
`,
});
