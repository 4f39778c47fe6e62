import { NOW } from './clock.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Reads a login's sessions together with the time: for the few reads that fall so close to the end of a session that
 * this process's knowledge of the server's clock does not decide them.
 *
 * KEYS  login: the hash of the login.
 * Returns  { now, field, value, … }.
 * Atomicity  the time and the records are of one moment.
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
