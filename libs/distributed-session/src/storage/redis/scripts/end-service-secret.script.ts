import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Ends one secret of a service now.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; keyId; by, packed.
 * Returns  { 'ended' }, { 'missing' }, { 'unreadable', value } or { 'late', now }.
 * Atomicity  the record, the key id and the published change are written together, or not at all.
 */
export const endServiceSecretScript = new RedisScript({
  name: 'end-service-secret',
  flags: ['allow-oom'],
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'keyId', 'by'],
  uses: [IN_TIME, SERVICE],
  body: `
local service, unreadable = readService(serviceId)
if unreadable then return { 'unreadable', lastNumber, unreadable } end
for at, secret in ipairs(service and service.secrets or {}) do
  if secret.keyId == keyId then
    table.remove(service.secrets, at)
    forget(service, secret)
    service.version = service.version + 1
    writeService(service)
    publishChange('secret-ended', serviceId, by)
    return { 'ended', lastNumber }
  end
end
return { 'missing', lastNumber }
`,
});
