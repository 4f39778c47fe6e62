import { SERVICE_FORMAT } from '../records/stored-service.js';
import { NUMBERED } from './step.fragment.js';

/**
 * Reads and writes the record of a service (its layout: `records/stored-service.ts`). Requires the keys `services`,
 * `keyIds` and `sequence`, and the argument `channel`. The next write removes ended secrets and their key ids.
 */
export const SERVICE = `
${NUMBERED.trim()}

local function text(value)
  return struct.pack('<Hc0', #value, value)
end

local function forget(service, secret)
  if redis.call('HGET', keyIds, secret.keyId) == service.id then redis.call('HDEL', keyIds, secret.keyId) end
end

-- Throws if the value is too short.
local function unpackService(serviceId, value)
  local at
  local service = { id = serviceId, secrets = {}, ended = {} }
  local format, count
  format, service.version, service.createdAt, at = struct.unpack('<BI4d', value)
  if format ~= ${SERVICE_FORMAT} then return nil end
  local function nextText()
    local content
    content, at = struct.unpack('<Hc0', value, at)
    return content
  end
  nextText()
  service.name, service.permissions = nextText(), nextText()
  count, at = struct.unpack('<B', value, at)
  for _ = 1, count do
    local secret = { keyId = nextText(), hash = nextText() }
    secret.createdAt, secret.endsAt, secret.usedAt, at = struct.unpack('<ddd', value, at)
    local isValid = secret.endsAt == 0 or now < secret.endsAt
    table.insert(isValid and service.secrets or service.ended, secret)
  end
  return service
end

-- Returns the service, or nil and the stored value if it cannot be read.
local function readService(serviceId)
  local value = redis.call('HGET', services, serviceId)
  if not value then return nil end
  local isRead, service = pcall(unpackService, serviceId, value)
  if not isRead or not service then return nil, value end
  for _, secret in ipairs(service.ended) do forget(service, secret) end
  return service
end

local function writeService(service)
  local value = struct.pack('<BI4d', ${SERVICE_FORMAT}, service.version, service.createdAt) .. text(service.id)
    .. text(service.name) .. text(service.permissions) .. struct.pack('<B', #service.secrets)
  for _, secret in ipairs(service.secrets) do
    value = value .. text(secret.keyId) .. text(secret.hash)
      .. struct.pack('<ddd', secret.createdAt, secret.endsAt, secret.usedAt)
    redis.call('HSET', keyIds, secret.keyId, service.id)
  end
  redis.call('HSET', services, service.id, value)
  return value
end

local function publishChange(change, serviceId, by)
  publish('S', struct.pack('<d', now) .. text(change) .. text(serviceId) .. by)
end
`;
