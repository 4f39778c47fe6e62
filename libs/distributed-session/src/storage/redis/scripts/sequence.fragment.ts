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
