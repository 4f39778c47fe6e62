import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { created } from './storage-calls.js';

/** Expects two storages to read each other's sessions and to receive each other's changes. */
export async function expectShared(storage: SessionStorage, other: SessionStorage): Promise<void> {
  const received: StorageChange[][] = [[], []];
  [storage, other].forEach((each, at) => each.changes((change) => received[at]!.push(change)));
  const loginId = randomUUID();
  const mine = await created(storage, loginId);
  const theirs = await created(other, loginId);
  expect(await other.get(mine.sessionId)).toEqual(mine);
  expect(await storage.listByLogin(loginId)).toEqual([mine, theirs]);
  await eventually(() => received.every(({ length }) => length === 2));
  const all = [mine, theirs].map(({ sessionId }) => ({ type: 'session.created', sessionId }));
  expect(received).toMatchObject([all, all]);
}
