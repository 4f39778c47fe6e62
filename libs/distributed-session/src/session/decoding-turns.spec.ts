import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';

const LARGE = { a: 'x'.repeat(15_000), b: 'x'.repeat(15_000), c: 'x'.repeat(15_000), d: 'x'.repeat(15_000) };
const LARGE_BYTES = 60_100;
const MAX_BYTES = 65_536 + LARGE_BYTES;

/** Counts the bytes that are decoded in each turn of the event loop. */
class DecodedBytes {
  readonly perTurn: number[] = [0];
  readonly #parse = JSON.parse;
  #ticking: NodeJS.Immediate | undefined;

  start(): void {
    const tick = () => {
      this.perTurn.push(0);
      this.#ticking = setImmediate(tick);
    };
    this.#ticking = setImmediate(tick);
    jest.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      this.perTurn[this.perTurn.length - 1]! += Buffer.byteLength(text);
      return this.#parse(text, reviver) as unknown;
    });
  }

  stop(): void {
    clearImmediate(this.#ticking);
    jest.restoreAllMocks();
  }

  get total(): number {
    return this.perTurn.reduce((sum, bytes) => sum + bytes, 0);
  }
}

describe('getSessionsByLoginId()', () => {
  let storage: InMemorySessionStorage;
  let sessions: DistributedSessionManager;
  let decoded: DecodedBytes;

  beforeEach(() => {
    storage = new InMemorySessionStorage();
    sessions = new DistributedSessionManager({ serviceId: 'svc', storage, maxSessionsPerLogin: 1_000 });
    decoded = new DecodedBytes();
  });

  afterEach(() => decoded.stop());

  async function logIn(loginId: string, count: number, attributes: Record<string, string>): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push((await sessions.createSession(loginId, undefined, { attributes })).sessionId);
    return ids;
  }

  it.each([
    ['large', 20, LARGE],
    ['small', 600, { a: 'x'.repeat(1_000) }],
    ['non-ASCII', 20, { a: '€'.repeat(5_000), b: '€'.repeat(5_000), c: '€'.repeat(5_000), d: '€'.repeat(4_900) }],
  ])('decodes a bounded number of bytes in a turn of %s sessions', async (_kind, count, attributes) => {
    const ids = await logIn('alice', count, attributes);
    decoded.start();
    const listed = await sessions.getSessionsByLoginId('alice');
    expect(listed.map(({ sessionId }) => sessionId)).toEqual(ids);
    expect(decoded.total).toBeGreaterThan(count * 1_000);
    expect(Math.max(...decoded.perTurn)).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('shares the bytes of a turn among concurrent lists of the application and of services', async () => {
    const logins = ['alice', 'bob', 'carol', 'dave', 'eve'];
    const ids = await Promise.all(logins.map((login) => logIn(login, 6, LARGE)));
    const callers = [sessions, sessions.as({ serviceId: 'lister', permissions: ['session.list'] })];
    decoded.start();
    const lists = await Promise.all(logins.map((login, index) => callers[index % 2]!.getSessionsByLoginId(login)));
    expect(lists.map((list) => list.map(({ sessionId }) => sessionId))).toEqual(ids);
    expect(decoded.total).toBeGreaterThan(30 * 60_000);
    expect(Math.max(...decoded.perTurn)).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('returns the sessions that were live when the storage was read, even if they end between two turns', async () => {
    const ids = await logIn('alice', 8, LARGE);
    const listing = sessions.getSessionsByLoginId('alice');
    await new Promise(setImmediate);
    await sessions.deleteAllSessions('alice');
    await logIn('alice', 2, LARGE);
    await logIn('bob', 2, LARGE);
    const listed = await listing;
    expect(listed.map(({ sessionId, loginId }) => [sessionId, loginId])).toEqual(ids.map((id) => [id, 'alice']));
    for (const { attributes } of listed) expect(attributes).toEqual(LARGE);
  });

  it('returns a session that cannot be read as unreadable, among the others and beside other lists', async () => {
    const [corrupt, ...rest] = await logIn('alice', 4, LARGE);
    await logIn('bob', 4, LARGE);
    const records = await storage.listByLogin('alice');
    jest
      .spyOn(storage, 'listByLogin')
      .mockResolvedValueOnce([...records.slice(1), { ...records[0]!, payload: new Uint8Array([255]) }]);
    const [broken, intact] = await Promise.all([
      sessions.getSessionsByLoginId('alice'),
      sessions.getSessionsByLoginId('bob'),
    ]);
    expect(broken.map(({ sessionId, unreadable }) => [sessionId, unreadable])).toEqual([
      ...rest.map((id) => [id, undefined]),
      [corrupt, 'corrupt'],
    ]);
    expect(intact).toHaveLength(4);
  });
});

describe('A count', () => {
  it('decodes no session', async () => {
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage: new InMemorySessionStorage() });
    for (let index = 0; index < 3; index++) await sessions.createSession('alice', undefined, { attributes: LARGE });
    const decoded = new DecodedBytes();
    decoded.start();
    const counts = [
      await sessions.countSessions('alice'),
      await sessions.countSessions(),
      await sessions.countOnline(),
    ];
    const { logins } = await sessions.listLogins();
    decoded.stop();
    expect(counts).toEqual([3, 3, { sessions: 3, logins: 1 }]);
    expect(logins).toEqual([{ loginId: 'alice', sessions: 3 }]);
    expect(decoded.total).toBe(0);
  });
});
