import { HALF_KEY_LENGTH } from '../feed/feed-key.js';
import { FIRST_NUMBER_UNIT } from '../feed/stream-numbers.js';

// Every step uses these fragments: the server's time, the deadline, and the numbers of its changes.

/** Sets `now`, the server's time in epoch milliseconds. */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Sets `now`, and returns without a write after the argument `deadline`: a write that was delayed (by a frozen server, or
 * a restored connection) must not be applied after its caller has received an unknown outcome.
 */
export const IN_TIME = `
${NOW.trim()}
if now > tonumber(deadline) then return { 'late', 0, now } end
`;

/** The number of a stream without changes is deleted after this time. */
const SILENCE_S = 7 * 86_400;

/**
 * Publishes a change with the next number of its stream, so that a subscriber detects lost changes and repeated messages.
 * `lastNumber` is the number of this script's last change, or 0 if nothing changed.
 *
 * The message ends with its authentication code (`feed/feed-key.ts`). Requires `now`, the key `sequence`, and the
 * arguments `channel` and `feedKey`.
 */
export const NUMBERED = `
local lastNumber = 0

local function sealed(message)
  local inner = redis.sha1hex(string.sub(feedKey, 1, ${HALF_KEY_LENGTH}) .. message)
  return message .. redis.sha1hex(string.sub(feedKey, ${HALF_KEY_LENGTH + 1}) .. inner)
end

local function publish(kind, message)
  lastNumber = redis.call('INCR', sequence)
  if lastNumber == 1 then lastNumber = redis.call('INCRBY', sequence, string.format('%.0f', now * ${FIRST_NUMBER_UNIT})) end
  if lastNumber % 100 == 1 then redis.call('EXPIRE', sequence, ${SILENCE_S}) end
  redis.call('PUBLISH', channel, sealed(kind .. struct.pack('<d', lastNumber) .. message))
end
`;
