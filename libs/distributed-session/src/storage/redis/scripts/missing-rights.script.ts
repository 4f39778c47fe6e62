import { RedisScript } from './redis-script.js';

/**
 * Finds the commands that its user may not run, or that the server does not have. Redis does not roll back a failed
 * script, so they must be found before the first write.
 *
 * KEYS  meta: every user may read it.
 * ARGV  commands: a JSON array of commands with their arguments.
 * Returns  { positions of the commands that are not allowed, positions of the commands that are unknown }, from 0.
 * Atomicity  nothing is read or written.
 */
export const missingRightsScript = new RedisScript({
  name: 'missing-rights',
  flags: ['no-writes'],
  keys: ['meta'],
  args: ['commands'],
  body: `
local missing, unknown = {}, {}
for position, command in ipairs(cjson.decode(commands)) do
  local isKnown, isAllowed = pcall(redis.acl_check_cmd, unpack(command))
  if not isKnown then table.insert(unknown, position - 1)
  elseif not isAllowed then table.insert(missing, position - 1) end
end
return { missing, unknown }
`,
});
