import { NOW } from './step.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Reads a user's sessions together with the server's time, for the few reads so close to the end of a session that the
 * estimated clock is not precise enough.
 *
 * KEYS  login: the hash of the user.
 * Returns  { now, field, value, … }.
 * Atomicity  the time and the records belong to one moment.
 */
export const readLoginScript = new RedisScript({
  name: 'read-login',
  flags: ['no-writes'],
  keys: ['login'],
  args: [],
  uses: [NOW],
  body: `
return { now, redis.call('HGETALL', login) }
`,
});
