import { NOW } from './clock.fragment.js';
import { RedisScript } from './redis-script.js';

const PUBLISH_BEAT = `redis.call('PUBLISH', channel, 'B' .. struct.pack('<dHc0', now, #shard, shard))`;

/**
 * Publishes the heartbeat of a shard, unless another process just did, and returns the time. Runs also when the server's
 * memory is full: the feed still reports ended sessions.
 *
 * KEYS  beat: exists while another process has sent the heartbeat of this interval.
 * ARGV  channel; shard; interval in milliseconds.
 * Returns  { now }.
 * Atomicity  one process sends it per interval. The key expires with the interval.
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
 * Publishes the heartbeat of a shard in any case, and returns the time. Redis rejects it if it would reject a session.
 *
 * KEYS  beat: exists while another process has sent the heartbeat of this interval.
 * ARGV  channel; shard; interval in milliseconds.
 * Returns  { now }.
 * Atomicity  the key is set in the same step. It expires with the interval.
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
