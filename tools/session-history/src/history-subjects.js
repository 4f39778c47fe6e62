/** @import { HistoryEntry } from './history.js' */

/**
 * The login ids and session ids in a history: the subjects of the final state.
 *
 * @param {Iterable<HistoryEntry>} entries
 * @returns {{ logins: string[], sessionIds: string[] }}
 */
export function subjectsOf(entries) {
  const logins = new Set();
  const sessionIds = new Set();
  for (const entry of entries) {
    if (entry.kind !== 'call') continue;
    const { operation, input } = entry;
    if ('loginId' in input) logins.add(input.loginId);
    if ('sessionId' in input) sessionIds.add(input.sessionId);
    if (operation === 'rotate') sessionIds.add(input.successorId);
  }
  return { logins: [...logins], sessionIds: [...sessionIds] };
}
