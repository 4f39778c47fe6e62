import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/** The parts of the server's Lua environment that scripts use. */
const LUA_FUNCTIONS = [
  'struct.pack',
  'struct.unpack',
  'cjson.decode',
  'redis.sha1hex',
  'redis.acl_check_cmd',
  'string.format',
  'string.match',
  'table.sort',
  'math.huge',
] as const;

/** Whole numbers in replies stay below this. Closer to 2^53, ioredis 6.0 rounds them. */
export const REPLIED_NUMBER = 8_999_999_999_999_999;

/**
 * Shows whether the server runs scripts as the others expect it, and reads two keys of one shard in one step.
 *
 * KEYS  beat, sequence: of one shard; every user may read them.
 * ARGV  bytes; number: a whole number of 53 bits; json: an array with that number.
 * Returns  { now, names of missing functions: joined by commas } if some are missing; otherwise { now, '', bytes, length of
 *       bytes, a number, number as text, number packed, number unpacked, number from JSON, SHA-1 of bytes, types of the two
 *       values: string, or boolean if there is none }.
 * Atomicity  nothing is written.
 */
export const verifyEngineScript = new RedisScript({
  name: 'verify-engine',
  flags: ['no-writes'],
  keys: ['beat', 'sequence'],
  args: ['bytes', 'number', 'json'],
  uses: [NOW],
  body: `
local missing = {}
for _, each in ipairs({ ${LUA_FUNCTIONS.map((name) => `{ '${name}', function() return ${name} end }`).join(', ')} }) do
  local isFound, found = pcall(each[2])
  if not isFound or found == nil then table.insert(missing, each[1]) end
end
if #missing > 0 then return { now, table.concat(missing, ', ') } end
local value = tonumber(number)
local packed = struct.pack('<BI4dH', 1, 4294967295, value, 65535)
local _, _, unpacked = struct.unpack('<BI4dH', packed)
local kinds = type(redis.call('GET', beat)) .. type(redis.call('GET', sequence))
return { now, '', bytes, #bytes, ${REPLIED_NUMBER}, string.format('%.0f', value), packed, string.format('%.0f', unpacked),
  string.format('%.0f', cjson.decode(json)[1]), redis.sha1hex(bytes), kinds }
`,
});
