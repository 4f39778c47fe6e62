import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Reads all services together with the server's time. Their number is bounded.
 *
 * KEYS  services.
 * Returns  { now, { service id, value, … } }.
 * Atomicity  the time and the records belong to one moment.
 */
export const listServicesScript = new RedisScript({
  name: 'list-services',
  flags: ['no-writes'],
  keys: ['services'],
  args: [],
  uses: [NOW],
  body: `
return { now, redis.call('HGETALL', services) }
`,
});
