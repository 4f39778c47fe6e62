import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { sessionArbitraries } from '../../../../../../test/support/storage/record-arbitraries.js';
import type { SessionTombstone, StoredSession } from '../../session-record.js';
import { escapeText } from './escaped-text.js';
import { type Cell, RowReader, UnreadableRowError } from './row-reader.js';
import { readSessionRow, sessionColumns } from './stored-session.js';

const COLUMNS = [...sessionColumns('s').matchAll(/\bs\.(\w+)/gu)].map(([, column]) => column!);
const ORDER = { place: 7, purgeAt: 9_000 };
const { records, tombstones } = sessionArbitraries({
  uuidVersion: 7,
  maxVersion: 2 ** 31 - 1,
  times: fc.integer({ min: 0, max: 2 ** 52 }),
});

/** The columns of a session by their names, as PostgreSQL sends them. */
function cellsOf(session: StoredSession): Record<string, Cell> {
  const { loginId, serviceId, device } = session;
  const fields: Record<string, unknown> = {
    ...session,
    ...ORDER,
    expiresAt: 0,
    ...(session.state === 'live'
      ? { expiresAt: session.expiresAt, payload: `\\x${Buffer.from(session.payload).toString('hex')}` }
      : {
          endedBy: escapeText(session.endedBy),
          ...(session.actor !== undefined && { actor: escapeText(session.actor) }),
        }),
    loginId: escapeText(loginId),
    serviceId: escapeText(serviceId),
    ...(device !== undefined && { device: escapeText(device) }),
  };
  return Object.fromEntries(COLUMNS.map((column) => [column, cellOf(fields[fieldOf(column)])]));
}

const fieldOf = (column: string) =>
  column === 'sweep_at' ? 'purgeAt' : column.replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
const cellOf = (value: unknown): Cell => (value === undefined ? null : `${value as string | number}`);
const read = (cells: Record<string, Cell>) => readSessionRow(new RowReader(COLUMNS.map((column) => cells[column]!)));

const [RECORD] = fc.sample(records, { numRuns: 1, seed: 1 });
const [TOMBSTONE] = fc.sample(
  tombstones.filter(({ reason }) => reason === 'limit'),
  { numRuns: 1, seed: 1 },
);

describe('the columns of a session', () => {
  it('are selected from the given row', () => {
    expect(sessionColumns('(result.stored)')).toMatch(
      /^\(result\.stored\)\.session_id, (?:\(result\.stored\)\.\w+, )+\(result\.stored\)\.grace_ends_at$/u,
    );
    expect(new Set(COLUMNS).size).toBe(COLUMNS.length);
  });

  it('return the live session or tombstone that was written, with any characters in its texts', () => {
    fc.assert(
      fc.property(fc.oneof(records, tombstones), (session) => {
        expect(read(cellsOf(session))).toEqual({ session, ...ORDER });
      }),
    );
  });

  it('may lack the payload, like the replies of writes', () => {
    const { session } = read({ ...cellsOf(RECORD!), payload: null });
    expect(session).toEqual({ ...RECORD, payload: new Uint8Array() });
  });

  it.each([
    ...COLUMNS.filter((column) => /_at$|^version$|^place$|_ms$/u.test(column)).flatMap((column) => [
      [column, '-1'],
      [column, '1.5'],
    ]),
    ...['session_id', 'login_id', 'service_id', 'version', 'place', 'created_at', 'expires_at', 'sweep_at'].map(
      (column) => [column, null],
    ),
    ['reason', 'Bored!'],
    ['reason', null],
    ['reason', 'toString'],
    ['reason', `a${'-a'.repeat(8)}`],
    ['ended_by', null],
  ] as [string, Cell][])('are unreadable when %s is %p', (column, cell) => {
    const isOfEnding = ['reason', 'ended_by'].includes(column);
    const session = isOfEnding ? TOMBSTONE! : column === 'grace_ends_at' ? rotated() : RECORD!;
    expect(() => read({ ...cellsOf(session), [column]: cell })).toThrow(UnreadableRowError);
  });
});

describe('a session whose row was edited', () => {
  it('has what can be read, if it is live', () => {
    const cells = { ...cellsOf(RECORD!), created_at: '-1', place: '9' };
    const { sessionId, loginId, lastAccessedAt } = RECORD!;
    expect(() => read(cells)).toThrow(
      expect.objectContaining({
        entry: { place: 9, record: expect.objectContaining({ sessionId, loginId, lastAccessedAt, cause: 'corrupt' }) },
      }),
    );
    expect(() => read(cells)).toThrow(expect.not.objectContaining({ entry: { record: { createdAt: -1 } } }));
  });

  it('shows why it ended, with its end in place of the times that cannot be read', () => {
    const { session } = read({ ...cellsOf(TOMBSTONE!), created_at: '-1', last_accessed_at: '1.5', version: 'x' });
    const { endedAt } = TOMBSTONE!;
    expect(session).toEqual({ ...TOMBSTONE, version: 1, createdAt: endedAt, lastAccessedAt: endedAt });
  });

  it('shows a reason that a later release has added', () => {
    expect(read({ ...cellsOf(TOMBSTONE!), reason: 'device-mismatch' }).session).toMatchObject({
      reason: 'device-mismatch',
    });
  });
});

function rotated(): SessionTombstone {
  return { ...TOMBSTONE!, reason: 'rotated', rotatedTo: RECORD!.sessionId, graceEndsAt: 1 };
}
