import { RedisScript } from './redis-script.js';

/**
 * Finds the commands of this library that its user may not run on its keys and its channel. Redis does not roll back a
 * failed script, so missing rights must be detected before the first write.
 *
 * KEYS  those of a user and its shard.
 * ARGV  channel.
 * Returns  { commands that reads require, commands that writes require }: only those that are missing.
 * Atomicity  nothing is read or written.
 */
export const missingRightsScript = new RedisScript({
  name: 'missing-rights',
  flags: ['no-writes'],
  keys: ['login', 'expiries', 'online', 'counter', 'sequence', 'beat'],
  args: ['channel'],
  body: `
local function missing(commands)
  local found = {}
  for _, command in ipairs(commands) do
    if not redis.acl_check_cmd(unpack(command)) then table.insert(found, command[1]) end
  end
  return found
end

return {
  missing({ { 'TIME' }, { 'HGET', login, 'f' }, { 'HGETALL', login }, { 'GET', counter }, { 'ZCARD', online },
    { 'ZRANGEBYLEX', online, '-', '+' }, { 'ZRANGEBYSCORE', expiries, 0, 1 }, { 'SUBSCRIBE', channel } }),
  missing({ { 'HEXISTS', login, 'f' }, { 'HSET', login, 'f', 'v' }, { 'HDEL', login, 'f' },
    { 'PEXPIREAT', login, 1 }, { 'GET', sequence }, { 'INCR', sequence }, { 'EXPIRE', sequence, 1 },
    { 'PUBLISH', channel, 'm' }, { 'ZSCORE', expiries, 'm' }, { 'ZADD', expiries, 1, 'm' }, { 'ZREM', online, 'm' },
    { 'INCRBY', counter, 1 }, { 'DEL', counter }, { 'SET', beat, '1' } }),
}
`,
});
