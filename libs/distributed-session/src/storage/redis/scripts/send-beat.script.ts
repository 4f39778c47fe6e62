import { NOW } from './clock.fragment.js';
import { RedisScript } from './redis-script.js';

const PUBLISH_BEAT = `redis.call('PUBLISH', channel, 'B' .. struct.pack('<dHc0', now, #shard, shard))`;

/**
 * Sends the heartbeat of a shard, unless another process just did, and tells the time. It is allowed when the server's
 * memory is full: the feed still tells what ends.
 *
 * KEYS  beat: the key that holds the turn.
 * ARGV  channel; shard; interval in milliseconds.
 * Returns  { now }.
 * Atomicity  one of all processes sends it in an interval. The key lives for the interval.
 */
export const sendBeatScript = new RedisScript({
  name: 'send-beat',
  flags: ['allow-oom'],
  keys: ['beat'],
  args: ['channel', 'shard', 'interval'],
  uses: [NOW],
  body: `
if redis.call('SET', beat, '1', 'NX', 'PX', interval) then ${PUBLISH_BEAT} end
return { now }
`,
});

/**
 * Sends the heartbeat of a shard in any case, and tells the time. Redis refuses it where it would refuse a session.
 *
 * KEYS  beat: the key that holds the turn.
 * ARGV  channel; shard; interval in milliseconds.
 * Returns  { now }.
 * Atomicity  the turn is taken in the same step. The key lives for the interval.
 */
export const forceBeatScript = new RedisScript({
  name: 'force-beat',
  keys: ['beat'],
  args: ['channel', 'shard', 'interval'],
  uses: [NOW],
  body: `
redis.call('SET', beat, '1', 'PX', interval)
${PUBLISH_BEAT}
return { now }
`,
});
