import { expect } from '@jest/globals';
import type { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { SERVICE } from '../storage/service-calls.js';
import { RETENTION_MS, creation } from '../storage/storage-calls.js';

/** Every byte, and sequences that text forms of bytes escape. */
const PAYLOAD = new Uint8Array([...Array.from({ length: 256 }, (_, at) => at), ...Buffer.from('\\\\000\\x41\'"')]);
/** Characters that quoting, escaping, other encodings or upper case change. */
const TEXT = `\\'"\0%_{,NULL}\u{FDD0}\u{1F600}\u0130\u0131\u00DF\u20AC\nI`;

const isServiceChange = ({ type }: StorageChange) => type === 'service.changed';

let histories = 0;

/**
 * Runs every kind of step on one storage with awkward values, and expects another, on usual settings, to read the same and
 * to receive the same changes.
 */
export async function awkwardHistory(storage: PostgresSessionStorage, other: PostgresSessionStorage): Promise<void> {
  const loginId = `${(histories += 1)} ${TEXT}`;
  const received: StorageChange[][] = [[], []];
  const stops = [storage, other].map((each, at) => each.changes((change) => received[at]!.push(change)));
  const sessions = [];
  for (const device of [TEXT, 'other', undefined]) {
    const limits = { perLogin: 2, perDevice: 1, onLimit: 'end-oldest' } as const;
    const wanted = { ...creation(storage, loginId), by: TEXT, payload: PAYLOAD, limits, ...(device && { device }) };
    const result = await storage.create(wanted);
    if (result.outcome !== 'created') throw new Error(`Not created: ${result.outcome}`);
    expect(await other.get(wanted.sessionId)).toMatchObject({ loginId, serviceId: TEXT, payload: PAYLOAD });
    sessions.push(result.session);
  }
  const [, second, third] = sessions;
  const reversed = PAYLOAD.toReversed();
  const change = { sessionId: second!.sessionId, expectedVersion: 1, payload: reversed, touch: true, by: TEXT };
  expect((await storage.replace(change)).outcome).toBe('replaced');
  expect((await storage.replace(change)).outcome).toBe('conflict');
  expect(await storage.touch([second!.sessionId, third!.sessionId])).toHaveLength(2);
  const successor = { sessionId: storage.nextSessionId(), payload: reversed };
  const rotation = { sessionId: second!.sessionId, expectedVersion: 2, successor, graceMs: 0, by: TEXT, actor: TEXT };
  expect((await storage.rotate({ ...rotation, historyRetentionMs: RETENTION_MS })).outcome).toBe('rotated');
  for (const read of [
    async (from: PostgresSessionStorage) => from.listByLogin(loginId),
    async (from: PostgresSessionStorage) => from.listHistory(loginId),
    async (from: PostgresSessionStorage) => from.get(successor.sessionId),
    async (from: PostgresSessionStorage) => from.count(),
    async (from: PostgresSessionStorage) => from.listLogins({ limit: 1_000 }),
  ]) {
    expect(await read(storage)).toEqual(await read(other));
  }
  const ending = { loginId, reason: 'kicked-out', by: TEXT, actor: TEXT, historyRetentionMs: RETENTION_MS } as const;
  expect(await storage.endAll(ending)).toHaveLength(2);
  expect(await storage.sweep({ limit: 10, historyRetentionMs: RETENTION_MS })).toBe(0);
  await expectServices(storage, other);
  expect(await storage.ping()).toEqual({ writable: true, notes: [] });
  await eventually(() => received.every((changes) => changes.filter(isServiceChange).length >= 5));
  for (const stop of stops) stop();
  expect(received[0]).toEqual(received[1]);
  expect(received[0]!.map(({ type }) => type)).not.toContain('feed.gap');
}

async function expectServices(storage: PostgresSessionStorage, other: PostgresSessionStorage): Promise<void> {
  const { services } = storage;
  const serviceId = 'INFO-i';
  const service = { ...SERVICE, serviceId, serviceName: TEXT, by: TEXT, replace: true };
  expect(await services.put(service)).toMatchObject({ outcome: 'stored' });
  expect(await services.put({ ...service, serviceId: 'info.I', replace: false })).toMatchObject({
    outcome: 'look-alike',
  });
  const secret = { keyId: 'second', hash: SERVICE.secret.hash };
  await services.addSecret({ serviceId, expectedVersion: 1, secret, overlapMs: 60_000, by: TEXT });
  expect(await services.list()).toEqual(await other.services.list());
  expect(await services.find(serviceId)).toMatchObject({ serviceName: TEXT });
  expect(await services.remove({ serviceId, by: TEXT })).toBe(true);
  // No secret outlives its service.
  for (const keyId of ['first', 'second']) expect(await other.services.findByKeyId(keyId)).toBeUndefined();
  await services.put({ ...service, secret: { ...secret, keyId: 'third' } });
  expect((await other.services.find(serviceId))?.secrets).toHaveLength(1);
  await services.remove({ serviceId, by: TEXT });
}
