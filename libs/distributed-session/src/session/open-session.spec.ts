import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { StorageCorruptError } from '../errors/storage.errors.js';
import { ServiceAccess } from '../service/service-access.js';
import type { SessionRecord, SessionTombstone } from '../storage/session-record.js';
import { assertIsSession, openLive, openSession, toHistoryEntry, toIssuedSession, toSession } from './open-session.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { DistributedSessionManager } from './distributed-session.manager.js';
import { encodePayload } from './session-payload.js';

const ID = '0190b6f2-7c1e-4f7a-8a3b-5d2f1c9e8b70';
const OTHER_ID = '0190b6f2-7c1e-4f7a-8a3b-5d2f1c9e8b71';
const attributes = { role: 'admin', cart: { total: 1 } };
const record: SessionRecord = {
  state: 'live',
  sessionId: ID,
  loginId: 'alice',
  serviceId: 'svc',
  version: 3,
  createdAt: 1_000,
  lastAccessedAt: 2_000,
  expiresAt: 3_000,
  idleTimeoutMs: 1_000,
  absoluteExpiresAt: 9_000,
  tokenDigest: 'the-digest',
  payload: encodePayload({ attributes, client: { ip: '::1' } }),
};
const tombstone: SessionTombstone = {
  state: 'ended',
  sessionId: ID,
  loginId: 'alice',
  serviceId: 'svc',
  version: 3,
  createdAt: 1_000,
  lastAccessedAt: 2_000,
  tokenDigest: 'the-digest',
  reason: 'rotated',
  endedAt: 2_500,
  endedBy: 'svc',
  rotatedTo: OTHER_ID,
  graceEndsAt: 2_600,
};
const everything = ServiceAccess.unrestricted('svc');

/** The error, which does not contain the id that was returned. */
function rejected(hidden: string) {
  return expect.objectContaining({ code: 'ERR_STORAGE_CORRUPT', message: expect.not.stringContaining(hidden) });
}

describe('openSession', () => {
  it.each(['version', 'createdAt', 'lastAccessedAt', 'expiresAt', 'idleTimeoutMs', 'absoluteExpiresAt'] as const)(
    'rejects a record whose %s is not a whole number',
    (name) => {
      for (const value of [NaN, Infinity, -Infinity, 1.5, 1e300, '3000', null, {}]) {
        const broken = { ...record, [name]: value } as unknown as SessionRecord;
        expect(() => openSession(broken)).toThrow(StorageCorruptError);
      }
    },
  );

  it('opens a session with only one of the two timeouts', () => {
    const { idleTimeoutMs, ...absolute } = record;
    const { absoluteExpiresAt, ...idle } = record;
    expect(openSession(absolute).payload.attributes).toEqual(attributes);
    expect(openSession(idle).payload.attributes).toEqual(attributes);
    expect([idleTimeoutMs, absoluteExpiresAt]).toEqual([1_000, 9_000]);
  });

  it('throws for a missing session, and with the reason for an ended one, under the requested id', () => {
    expect(() => openLive(undefined, ID)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_NOT_FOUND', sessionId: ID }),
    );
    expect(() => openLive({ ...tombstone, sessionId: OTHER_ID }, ID)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_ENDED', sessionId: ID, reason: 'rotated', rotatedTo: OTHER_ID }),
    );
  });
});

describe('A session that the storage returns in place of the requested one', () => {
  it('causes an error without its id, whether it is live or ended', () => {
    expect(() => assertIsSession(record, ID)).not.toThrow();
    for (const stored of [record, tombstone]) {
      expect(() => assertIsSession({ ...stored, sessionId: OTHER_ID }, ID)).toThrow(rejected(OTHER_ID));
    }
  });

  it('is never returned by a method that takes a session id', async () => {
    class SwappingStorage extends InMemorySessionStorage {
      override async get() {
        return { ...record, sessionId: OTHER_ID, expiresAt: this.now() + 1_000 };
      }
    }
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage: new SwappingStorage() });
    const update = { ...toSession(openSession(record), everything) };
    const calls = [
      () => sessions.getSession(ID),
      () => sessions.findSession(ID),
      () => sessions.refreshSession(ID),
      () => sessions.verifySession(`${ID}.token`),
      () => sessions.getAttribute(ID, 'role'),
      () => sessions.setAttribute(ID, 'role', 'user'),
      () => sessions.removeAttribute(ID, 'role'),
      () => sessions.updateSession(update),
      () => sessions.rotateSession(ID),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(rejected(OTHER_ID));
  });

  it('is never returned in the list of a user', async () => {
    class SwappingStorage extends InMemorySessionStorage {
      override async listByLogin() {
        return [{ ...record, loginId: 'mallory' }];
      }
    }
    const sessions = new DistributedSessionManager({ serviceId: 'svc', storage: new SwappingStorage() });
    await expect(sessions.getSessionsByLoginId('alice')).rejects.toEqual(rejected('mallory'));
  });
});

describe('The returned session', () => {
  it('is a frozen snapshot without digests, payload and state', () => {
    const session = toSession(openSession(record), everything);
    expect(session).toEqual({
      sessionId: ID,
      loginId: 'alice',
      serviceId: 'svc',
      version: 3,
      client: { ip: '::1' },
      attributes,
      createdAt: 1_000,
      lastAccessedAt: 2_000,
      expiresAt: 3_000,
      idleTimeoutMs: 1_000,
      absoluteExpiresAt: 9_000,
    });
    expect(inspect(session, { depth: 9, showHidden: true })).not.toContain('the-digest');
    for (const part of [session, session.attributes, session.attributes['cart'], session.client]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('contains only the attributes that the service may read', () => {
    const access = everything.narrowedTo({ serviceId: 'x', permissions: ['session.read:role'] });
    expect(toSession(openSession(record), access).attributes).toEqual({ role: 'admin' });
  });

  it('exposes token and credential by property access only, not in a log, spread or JSON', () => {
    const issued = toIssuedSession(openSession(record), everything, 'CANARY');
    expect([issued.token, issued.credential]).toEqual(['CANARY', `${ID}.CANARY`]);
    expect(Object.isFrozen(issued)).toBe(true);
    for (const shown of [inspect(issued, { depth: 9 }), JSON.stringify(issued), inspect({ ...issued })]) {
      expect(shown).not.toContain('CANARY');
      expect(shown).toContain(ID);
    }
  });

  it('becomes a frozen history entry after its end', () => {
    const entry = toHistoryEntry(tombstone);
    expect(entry).toMatchObject({ sessionId: ID, reason: 'rotated', endedAt: 2_500, rotatedTo: OTHER_ID });
    expect(Object.keys(entry)).not.toContain('graceEndsAt');
    expect(inspect(entry, { showHidden: true })).not.toContain('the-digest');
    expect(Object.isFrozen(entry)).toBe(true);
  });
});
