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

/** The numbers of a stream without changes start over after this time. */
const SILENCE_S = 7 * 86_400;

/**
 * Publishes a change with the next number of its stream, so that a subscriber detects lost changes. `lastNumber` is the
 * number of this script's last change, or 0 if nothing changed. Requires the key `sequence` and the argument `channel`.
 */
export const NUMBERED = `
local lastNumber = 0

local function publish(kind, message)
  lastNumber = redis.call('INCR', sequence)
  if lastNumber % 100 == 1 then redis.call('EXPIRE', sequence, ${SILENCE_S}) end
  redis.call('PUBLISH', channel, kind .. struct.pack('<d', lastNumber) .. message)
end
`;
