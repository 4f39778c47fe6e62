/** A stream of changes that is silent for so long starts over. */
const SILENCE_S = 7 * 86_400;

/**
 * Publishes a change under the next number of its stream, so that who hears it knows whether one before it was lost.
 * `lastNumber` is that of the last change of this script, and 0 when nothing changed. Key `sequence`, argument `channel`.
 */
export const NUMBERED = `
local lastNumber = 0

local function publish(kind, message)
  lastNumber = redis.call('INCR', sequence)
  if lastNumber % 100 == 1 then redis.call('EXPIRE', sequence, ${SILENCE_S}) end
  redis.call('PUBLISH', channel, kind .. struct.pack('<d', lastNumber) .. message)
end
`;
