import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Claims the heartbeat of this interval: one process sends it.
 *
 * KEYS  beat: exists while another process has the heartbeat of this interval.
 * ARGV  interval in milliseconds.
 * Returns  { now, 1 if this process has it, otherwise 0 }.
 * Atomicity  the key is checked and set in the same step. It expires with the interval.
 */
export const claimBeatScript = new RedisScript({
  name: 'claim-beat',
  flags: ['allow-oom'],
  keys: ['beat'],
  args: ['interval'],
  uses: [NOW],
  body: `
local claimed = redis.call('SET', beat, '1', 'NX', 'PX', interval)
return { now, claimed and 1 or 0 }
`,
});

/**
 * Publishes the heartbeat of a shard. Runs also when the server's memory is full: the feed still reports ended sessions.
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
