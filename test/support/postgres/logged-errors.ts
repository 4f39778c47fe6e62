/**
 * Returns the errors in a part of the server's log. A start waits for a lock until its statement times out, within a block
 * that catches this; on a busy machine, the time may be over before the block. The start then tries again.
 */
export function loggedErrors(log: string): readonly string[] {
  return log.split('\n').filter((line) => line.includes('ERROR:') && !line.includes('due to statement timeout'));
}
