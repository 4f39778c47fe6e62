import { RedisScript } from './redis-script.js';

/**
 * Finds the commands that its user may not run. Redis does not roll back a failed script, so missing rights must be
 * detected before the first write.
 *
 * KEYS  meta: every user may read it.
 * ARGV  commands: a JSON array of commands with their arguments.
 * Returns  the positions, from 0, of the commands that are not allowed.
 * Atomicity  nothing is read or written.
 */
export const missingRightsScript = new RedisScript({
  name: 'missing-rights',
  flags: ['no-writes'],
  keys: ['meta'],
  args: ['commands'],
  body: `
local missing = {}
for position, command in ipairs(cjson.decode(commands)) do
  if not redis.acl_check_cmd(unpack(command)) then table.insert(missing, position - 1) end
end
return missing
`,
});
