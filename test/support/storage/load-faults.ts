import type { SessionStorage } from 'nestjs-distributed-session';
import type { StoredSession } from 'nestjs-distributed-session/storage';
import { isApplied, type LoadSession } from './load-session.js';
import type { LoadCall, SteadyLoad } from './steady-load.js';

/** What is taken for lost without fault: a master that is killed may have acknowledged what no replica has. */
export interface LossWindow {
  /** Of what was acknowledged later, nothing is asked. By `performance.now()`. */
  readonly acknowledgedBefore?: number;
}

/** The deadline of a call is one second; the rest is for a busy machine. */
const MOST_MS = 1_500;
const AT_ONCE = 32;

/** What is wrong with the calls themselves, one sentence each: how they ended, how long they took, what reads found. */
export function faultsOfCalls({ calls }: SteadyLoad, { acknowledgedBefore = Infinity }: LossWindow = {}): string[] {
  return calls.flatMap((call) => {
    const { operation, outcome, ms, startedAt, session, found } = call;
    const faults: string[] = [];
    // Who is refused has met what he did not write; that can be what somebody lost.
    if (!isKnown(call) && startedAt < acknowledgedBefore) faults.push(`${operation} was told ${outcome}.`);
    if (ms > MOST_MS) faults.push(`${operation} (${outcome}) took ${Math.round(ms)} ms.`);
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
 * What is wrong once all is quiet, one sentence each: with each session against what its user was told, and with
 * lists, histories and the count against the sessions. Nobody else may have written there.
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
    const [list, history] = await Promise.all([storage.listByLogin(loginId), storage.listHistory(loginId)]);
    if (idsOf(list) !== idsOf(found, 'live')) faults.push(`The list of ${loginId} is not its live sessions.`);
    if (idsOf(history) !== idsOf(found, 'ended')) faults.push(`The history of ${loginId} is not what has ended.`);
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
