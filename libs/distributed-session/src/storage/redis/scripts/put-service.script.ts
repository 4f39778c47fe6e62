import { MAX_SERVICES } from '../../service-credential-storage.js';
import { IN_TIME } from './step.fragment.js';
import { RedisScript } from './redis-script.js';
import { SERVICE } from './service.fragment.js';

/**
 * Registers a service, or replaces it with all its secrets.
 *
 * KEYS  services, keyIds, sequence.
 * ARGV  deadline; channel; feedKey; serviceId; name; permissions (JSON); keyId and hash (JSON) of the secret; replace: '1' if
 *       an existing service may be replaced; by, packed.
 * Returns  { 'stored', value, now }, { 'exists' }, { 'look-alike', serviceId }, { 'full' }, { 'unreadable', value } or { 'late', now }.
 * Atomicity  the record, the key ids and the published change are written together, or not at all.
 */
export const putServiceScript = new RedisScript({
  name: 'put-service',
  keys: ['services', 'keyIds', 'sequence'],
  args: ['deadline', 'channel', 'feedKey', 'serviceId', 'name', 'permissions', 'keyId', 'hash', 'replace', 'by'],
  uses: [IN_TIME, SERVICE],
  body: `
-- The same as serviceIdSkeleton().
local function skeleton(id)
  return (string.gsub(string.lower(id), '[._-]', ''))
end

local existing, unreadable = readService(serviceId)
if unreadable then return { 'unreadable', lastNumber, unreadable } end
if existing and replace ~= '1' then return { 'exists', lastNumber } end
for _, id in ipairs(existing and {} or redis.call('HKEYS', services)) do
  if skeleton(id) == skeleton(serviceId) then return { 'look-alike', lastNumber, id } end
end
if not existing and redis.call('HLEN', services) >= ${MAX_SERVICES} then return { 'full', lastNumber } end
for _, secret in ipairs(existing and existing.secrets or {}) do forget(existing, secret) end
local service = { id = serviceId, name = name, permissions = permissions,
  version = (existing and existing.version or 0) + 1, createdAt = existing and existing.createdAt or now,
  secrets = { { keyId = keyId, hash = hash, createdAt = now, endsAt = 0, usedAt = 0 } } }
local value = writeService(service)
publishChange(existing and 'replaced' or 'registered', serviceId, by)
return { 'stored', lastNumber, value, now }
`,
});
