import { IN_TIME } from './clock.fragment.js';
import { LOGIN, SETTLE } from './login.fragment.js';
import { RECORD } from './record.fragment.js';
import { RedisScript } from './redis-script.js';

/**
 * Ends a session. It is allowed when the server's memory is full: a tombstone is smaller than what it replaces.
 *
 * KEYS  login, sequence, expiries, online, counter: those of the login and its shard.
 * ARGV  deadline; channel; tag; sessionId; ending, packed; retention in milliseconds.
 * Returns  { 'ended', tombstone }, { 'already-ended' | 'due' | 'unreadable', value }, { 'missing' } or { 'late', now }.
 * Atomicity  the tombstone is written, the session no longer counted, and its end announced, or nothing.
 */
export const endSessionScript = new RedisScript({
  name: 'end-session',
  flags: ['allow-oom'],
  keys: ['login', 'sequence', 'expiries', 'online', 'counter'],
  args: ['deadline', 'channel', 'tag', 'sessionId', 'ending', 'retention'],
  uses: [IN_TIME, RECORD, LOGIN, SETTLE],
  body: `
load(now)
local record = byId[sessionId]
local refused = refusal(sessionId, record, now)
if refused then return refused end
local value = bury(record, ending, now, 0, tonumber(retention))
settle(now)
return { 'ended', lastNumber, value }
`,
});
