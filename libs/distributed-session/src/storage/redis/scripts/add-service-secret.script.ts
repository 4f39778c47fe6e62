import { MAX_SERVICE_SECRETS } from '../../service-credential-storage.js';
import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Adds a secret to a service at the expected version, and sets when the earlier secrets end.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; expectedVersion; keyId and hash (JSON) of the secret; overlap in milliseconds, or
 *       0 to end the earlier secrets now; by, packed.
 * Returns  { 'stored', value, now }, { 'too-many-secrets' }, { 'conflict' }, { 'missing' }, { 'unreadable', value } or
 *       { 'late', now }.
 * Atomicity  the record, the key ids and the published change are written together, or not at all.
 */
export const addServiceSecretScript = new RedisScript({
  name: 'add-service-secret',
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'expectedVersion', 'keyId', 'hash', 'overlap', 'by'],
  uses: [IN_TIME, SERVICE],
  body: `
local service, unreadable = readService(serviceId)
if unreadable then return { 'unreadable', lastNumber, unreadable } end
if not service then return { 'missing', lastNumber } end
if service.version ~= tonumber(expectedVersion) then return { 'conflict', lastNumber } end
local overlapMs = tonumber(overlap)
if overlapMs > 0 and #service.secrets >= ${MAX_SERVICE_SECRETS} then return { 'too-many-secrets', lastNumber } end
if overlapMs == 0 then
  for _, secret in ipairs(service.secrets) do forget(service, secret) end
  service.secrets = {}
end
for _, secret in ipairs(service.secrets) do
  local ends = now + overlapMs
  secret.endsAt = secret.endsAt > 0 and math.min(secret.endsAt, ends) or ends
end
table.insert(service.secrets, { keyId = keyId, hash = hash, createdAt = now, endsAt = 0, usedAt = 0 })
service.version = service.version + 1
local value = writeService(service)
publishChange('secret-added', serviceId, by)
return { 'stored', lastNumber, value, now }
`,
});
