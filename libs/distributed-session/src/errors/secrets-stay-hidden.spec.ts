import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import type { IssuedSession } from '../model/session.js';
import type { IssuedServiceCredential } from '../service/service-credential.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { DistributedSessionError } from './distributed-session.error.js';
import { toHttpException } from './to-http-exception.js';

const CANARY = 'CANARY';
const attributes = { 'cart.note': `${CANARY} value`, nested: { deep: [`${CANARY} deep`] } };

function shownBy(value: unknown): string {
  return [inspect(value, { depth: 6 }), String(value), JSON.stringify(value)].join('\n');
}

describe('Secrets, tokens and attribute values', () => {
  let storage: InMemorySessionStorage;
  let sessions: DistributedSessionManager;
  let issued: IssuedSession;
  let service: IssuedServiceCredential;

  beforeAll(async () => {
    storage = new InMemorySessionStorage({ clock: new FakeClock() });
    const attributeLimits = { maxValueBytes: 200, maxTotalBytes: 300, maxCount: 3, maxDepth: 3 };
    const secretPepper = `${CANARY} pepper of sixteen`;
    sessions = new DistributedSessionManager({ serviceId: 'svc', storage, secretPepper, attributeLimits });
    await sessions.connect();
    issued = await sessions.createSession('alice', `${CANARY}-token-0123456789abcdef`, { attributes });
    const registration = { serviceId: 'pay', serviceName: 'Pay', permissions: ['session.read:cart.*'] };
    service = await sessions.registerService({ ...registration, secretKey: `${CANARY} secret` });
    await sessions.verifyService('pay', `${CANARY} secret`);
    await sessions.verifySession(issued.credential);
  });

  afterAll(async () => {
    await sessions.close();
  });

  it('are not revealed by inspecting a used manager, its views, its storage and its events', () => {
    for (const holder of [sessions, sessions.as(service), sessions.events, storage]) {
      expect(inspect(holder, { depth: 6 })).not.toContain(CANARY);
      expect(inspect(holder, { depth: 6 })).toMatch(/Manager|Storage|Events/);
    }
  });

  it('are not revealed by an issued session, except by property access', () => {
    expect(issued.token).toBe(`${CANARY}-token-0123456789abcdef`);
    const { attributes: own, ...rest } = issued;
    expect(own).toEqual(attributes);
    expect(shownBy(rest)).not.toContain(CANARY);
    for (const shown of [shownBy(issued), shownBy({ ...issued }), shownBy(structuredClone(issued))]) {
      expect(shown).not.toContain(`${CANARY}-token`);
    }
  });

  it('are not revealed by an issued service credential, except by property access', () => {
    expect(service.secret).toBe(`${CANARY} secret`);
    for (const shown of [shownBy(service), shownBy({ ...service }), shownBy(structuredClone(service))]) {
      expect(shown).not.toContain(CANARY);
      expect(shown).toContain('pay');
    }
  });

  it('are not revealed by any error that a caller can provoke, or by its HTTP response', async () => {
    const { sessionId } = issued;
    const id = storage.nextSessionId();
    const guest = sessions.as({ serviceId: 'guest', permissions: ['session.read:a', 'session.write:a'] });
    const set = (value: unknown) => () => sessions.setAttribute(sessionId, 'note', value as object);
    const attempts: (() => Promise<unknown>)[] = [
      () => sessions.createSession('alice', `${CANARY} token with spaces`),
      () => sessions.createSession('alice', CANARY.repeat(1_000)),
      () => sessions.verifySession(`${CANARY}.${CANARY}`),
      () => sessions.verifySession(`${id}.${CANARY}`),
      () => sessions.verifySession(`${sessionId}.${CANARY}`),
      () => sessions.verifySession({ sessionId, token: `${CANARY} ` }),
      () => sessions.getSession(CANARY),
      set(CANARY.repeat(100)),
      set([CANARY, 1n]),
      set({ note: CANARY, when: new Date(0) }),
      set([[[[CANARY]]]]),
      set(new Map([[CANARY, CANARY]])),
      set(Symbol(CANARY)),
      () => sessions.setAttributes(sessionId, { set: { a: CANARY.repeat(25), b: CANARY.repeat(25) } }),
      () => sessions.setAttributes(sessionId, { set: { a: CANARY, b: CANARY, c: CANARY } }),
      () => sessions.updateSession({ ...issued, version: 9, attributes: { a: CANARY } }),
      () => sessions.updateSession({ ...issued, attributes: { a: [CANARY, NaN] } }),
      () => guest.setAttribute(sessionId, 'role', CANARY),
      () => sessions.verifyService('pay', `${CANARY} wrong`),
      () => sessions.verifyService('unknown', CANARY.repeat(200)),
      () => sessions.verifyServiceSecret(`dss_${CANARY}`),
      () => sessions.registerService({ ...service, secretKey: CANARY }),
      () => sessions.registerService({ serviceId: 'b', serviceName: 'B', permissions: [], secretKey: CANARY }),
      () =>
        sessions.registerService({ serviceId: 'b', serviceName: 'B', permissions: [], secretKey: `dss_${CANARY}xx` }),
      () =>
        sessions.registerService({ serviceId: 'b', serviceName: 'B', permissions: [], secretKey: `${CANARY} secret` }),
      () => sessions.rotateServiceSecret('pay', { secretKey: CANARY.repeat(100) }),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt().then(
        () => new Error(`was accepted: ${String(attempt)}`),
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(DistributedSessionError);
      const exception = toHttpException(error as DistributedSessionError);
      for (const shown of [shownBy(error), shownBy(exception), JSON.stringify(exception.getResponse())]) {
        expect(shown).not.toContain(CANARY);
      }
    }
  });

  it('are not revealed by the error about a corrupt record, whose text the JSON parser would quote', async () => {
    class TruncatingStorage extends InMemorySessionStorage {
      override async get(sessionId: string) {
        const stored = await super.get(sessionId);
        return stored?.state === 'live' ? { ...stored, payload: stored.payload.subarray(0, -3) } : stored;
      }
    }
    const truncated = new DistributedSessionManager({ serviceId: 'svc', storage: new TruncatingStorage() });
    const { sessionId } = await truncated.createSession('alice', undefined, { attributes });
    const error: unknown = await truncated.getSession(sessionId).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
    expect(shownBy(error)).not.toContain(CANARY);
  });
});
