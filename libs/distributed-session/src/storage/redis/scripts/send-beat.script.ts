import { NOW } from './clock.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Sends the heartbeat of a shard, unless another process just did, and tells the time.
 *
 * KEYS  beat: the key that holds the turn.
 * ARGV  channel; shard; interval in milliseconds; force: '1' to send it in any case.
 * Returns  { now, 1 when it was sent, else 0 }.
 * Atomicity  one of all processes sends it in an interval. The key lives for the interval.
 */
export const sendBeatScript = new RedisScript({
  name: 'send-beat',
  keys: ['beat'],
  args: ['channel', 'shard', 'interval', 'force'],
  uses: [NOW],
  body: `
if redis.call('SET', beat, '1', 'NX', 'PX', interval) or force == '1' then
  redis.call('PUBLISH', channel, 'B' .. struct.pack('<dHc0', now, #shard, shard))
  return { now, 1 }
end
return { now, 0 }
`,
});
