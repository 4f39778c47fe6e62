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
