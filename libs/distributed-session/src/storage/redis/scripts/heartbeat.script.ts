import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/** A server's heartbeats are forgotten this long after its last process has stopped. */
const FORGOTTEN_S = 86_400;

/**
 * Claims the heartbeat of this interval: one process sends it.
 *
 * The age of the last heartbeat decides, not a time to live: after the server's clock was set back, a heartbeat from the
 * future does not count.
 *
 * KEYS  beat: the nonce of the last heartbeat, a space, and its time.
 * ARGV  interval in milliseconds; 0 claims in any case. nonce: that of the new heartbeat.
 * Returns  { now, 1 if this process has it, otherwise 0, nonce of the heartbeat before the call or an empty text }.
 * Atomicity  the key is checked and set in the same step.
 */
export const claimBeatScript = new RedisScript({
  name: 'claim-beat',
  flags: ['allow-oom'],
  keys: ['beat'],
  args: ['interval', 'nonce'],
  uses: [NOW],
  body: `
local previous, claimedAt = string.match(redis.call('GET', beat) or '', '^(%x+) (%d+)$')
local age = now - tonumber(claimedAt or 0)
if previous and age >= 0 and age < tonumber(interval) then return { now, 0, previous } end
redis.call('SET', beat, nonce .. ' ' .. string.format('%.0f', now), 'EX', ${FORGOTTEN_S})
return { now, 1, previous or '' }
`,
});

/**
 * Publishes a heartbeat, or a message about the feed itself. Runs also when the server's memory is full: the feed still reports ended sessions.
 *
 * KEYS  beat: routes the script to the master of the shard.
 * ARGV  channel; message.
 * Returns  0.
 * Atomicity  one command.
 */
export const publishBeatScript = new RedisScript({
  name: 'publish-beat',
  flags: ['allow-oom'],
  keys: ['beat'],
  args: ['channel', 'message'],
  body: `
redis.call('PUBLISH', channel, message)
return 0
`,
});

/**
 * Writes nothing. Redis rejects it if it would reject a session: memory full, too few replicas, no disk, a replica.
 *
 * KEYS  beat: routes the script to the master of the shard.
 * Returns  { now }.
 */
export const checkWritesScript = new RedisScript({
  name: 'check-writes',
  keys: ['beat'],
  args: [],
  uses: [NOW],
  body: `return { now }`,
});
