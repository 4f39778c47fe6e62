import type { SessionStorage } from 'nestjs-distributed-session';
import type { StoredSession } from 'nestjs-distributed-session/storage';
import { isApplied, type LoadSession } from './load-session.js';
import { slackMs } from './slack.js';
import { liveOf } from './storage-calls.js';
import type { LoadCall, SteadyLoad } from './steady-load.js';

/** Writes whose loss is allowed: a killed master may have acknowledged writes that no replica has. */
export interface LossWindow {
  /** Later acknowledged writes may be lost. By `performance.now()`. */
  readonly acknowledgedBefore?: number;
}

/** The default of the storages. */
const DEADLINE_MS = 1_000;
const AT_ONCE = 32;

/** The violations in the calls, one sentence each: their outcomes, their durations, and what reads returned. */
export function faultsOfCalls({ calls }: SteadyLoad, { acknowledgedBefore = Infinity }: LossWindow = {}): string[] {
  return calls.flatMap((call) => {
    const { operation, outcome, ms, startedAt, session, found } = call;
    const faults: string[] = [];
    // A refused write found a version that its user did not write, which may be the effect of an allowed loss.
    if (!isKnown(call) && startedAt < acknowledgedBefore) faults.push(`${operation} ended with ${outcome}.`);
    if (ms > DEADLINE_MS + slackMs()) faults.push(`${operation} (${outcome}) took ${Math.round(ms)} ms.`);
    if (outcome === 'read') faults.push(...session.faultsOf(found, startedAt, acknowledgedBefore));
    return faults;
  });
}

function isKnown(call: LoadCall): boolean {
  const { operation, outcome } = call;
  if (outcome === 'ERR_STORAGE_UNAVAILABLE') return true;
  return operation === 'get' ? outcome === 'read' : isApplied(call) || outcome === 'ERR_STORAGE_OUTCOME_UNKNOWN';
}

/**
 * The violations in the final state, one sentence each: sessions that contradict the results of their users' calls, and
 * lists, histories and counts that contradict the sessions. No other client may have written to the store.
 */
export async function faultsOfState(
  { sessions }: SteadyLoad,
  storage: SessionStorage,
  { acknowledgedBefore }: LossWindow = {},
): Promise<string[]> {
  const faults: string[] = [];
  const logins = new Map<string, LoadSession[]>();
  for (const session of sessions) logins.set(session.loginId, [...(logins.get(session.loginId) ?? []), session]);
  let live = 0;
  let online = 0;
  await inTurn([...logins], async ([loginId, own]) => {
    const found: StoredSession[] = [];
    for (const session of own) {
      const stored = await storage.get(session.sessionId);
      faults.push(...session.faultsOf(stored, Infinity, acknowledgedBefore));
      if (stored) found.push(stored);
    }
    const [list, history] = await Promise.all([liveOf(storage, loginId), storage.listHistory(loginId)]);
    if (idsOf(list) !== idsOf(found, 'live')) faults.push(`The list of ${loginId} is not its live sessions.`);
    if (idsOf(history) !== idsOf(found, 'ended')) faults.push(`The history of ${loginId} is not its ended sessions.`);
    live += list.length;
    online += list.length > 0 ? 1 : 0;
  });
  const count = await storage.count();
  if (count.sessions !== live || count.logins !== online) {
    faults.push(`${live} sessions of ${online} logins are counted as ${count.sessions} of ${count.logins}.`);
  }
  return faults;
}

function idsOf(sessions: readonly StoredSession[], state?: StoredSession['state']): string {
  const chosen = sessions.filter((session) => state === undefined || session.state === state);
  return chosen
    .map(({ sessionId }) => sessionId)
    .toSorted()
    .join();
}

async function inTurn<T>(items: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const visitLeft = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await visit(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitLeft));
}
