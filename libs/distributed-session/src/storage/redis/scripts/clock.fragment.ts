/**
 * Sets `now`, the server's time in epoch milliseconds. A script that may write and has an argument `deadline` writes
 * nothing after that time: what was held up on its way (a frozen server, a connection that came back) is not applied
 * when its caller has long been told that the outcome is unknown.
 */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

export const IN_TIME = `
${NOW.trim()}
if now > tonumber(deadline) then return { 'late', 0, now } end
`;
