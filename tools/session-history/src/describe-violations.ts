import type { HistoryEntry } from './history.js';
import type { Violation } from './invariants/invariant.js';

const MOST = 10;

/** Describes the first violations, for the message of a failing test. */
export function describeViolations(violations: readonly Violation[]): string[] {
  const described = violations.slice(0, MOST).map(({ invariant, sentence, entries }) => {
    return [`${invariant}: ${sentence}`, ...entries.slice(0, 4).map((entry) => `  ${inShort(entry, sentence)}`)].join(
      '\n',
    );
  });
  return violations.length > MOST
    ? [...described, `and ${violations.length - MOST} more: ${countsOf(violations)}`]
    : described;
}

/** An entry with the sessions that the sentence names; with all if it names none. */
function inShort(entry: HistoryEntry, sentence: string): string {
  if (entry.kind !== 'call') return JSON.stringify(entry);
  const { kind, result, ...call } = entry;
  const sessions = result?.sessions.filter(({ sessionId }) => sentence.includes(sessionId)) ?? [];
  const isNamed = sessions.length > 0;
  return JSON.stringify({ ...call, result: result && { ...result, sessions: isNamed ? sessions : result.sessions } });
}

function countsOf(violations: readonly Violation[]): string {
  const counts = new Map<string, number>();
  for (const { invariant } of violations) counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
  return [...counts].map(([invariant, count]) => `${count} of ${invariant}`).join(', ');
}
