import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SESSION_EVENT_TYPES, type SessionStorage } from 'nestjs-distributed-session';
import { EventStreams } from '../../src/events/event-streams.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const HEARTBEAT_MS = 100;

describe.each(SERVERS)('On %s, an event stream', (HTTP_ADAPTER) => {
  let storage: SessionStorage;
  let service: RunningService;
  /** A second process on the same storage. */
  let other: RunningService;
  let watcher: Record<string, string>;

  beforeAll(async () => {
    const variables = { HTTP_ADAPTER, EVENTS_HEARTBEAT_MS: String(HEARTBEAT_MS) };
    service = await startService({ variables });
    ({ storage } = service);
    other = await startService({ variables: { ...variables, SERVICE_ID: 'other' }, storage });
    watcher = await service.register('watcher', 'session.list');
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  const follow = (query = '', headers = watcher) => EventReader.open(`${service.url}/v1/events${query}`, headers);

  /** Waits for an event of this user: whatever the stream has not delivered by then, it has filtered out. */
  const endWith = async (reader: EventReader, loginId: string) => {
    const { sessionId } = await service.sessions.createSession(loginId);
    await reader.until(({ events }) => events.some(({ data }) => data?.['sessionId'] === sessionId));
  };

  test('is a text/event-stream that is neither cached nor buffered, and begins with an id to resume after', async () => {
    const reader = await follow();
    expect(reader.status).toBe(200);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(reader.text).toMatch(/^retry: 2000\nid: [0-9a-f]{12}-\d+\n\n/);
  });

  test('delivers all changes of this process in order', async () => {
    const reader = await follow();
    const { sessionId } = await service.sessions.createSession('alice', undefined, { device: 'web' });
    await service.sessions.setAttribute(sessionId, 'role', 'customer');
    const rotated = await service.sessions.rotateSession(sessionId);
    await service.sessions.kickOut(rotated.sessionId, { actor: 'support' });
    await reader.untilEvents(4);
    const common = { loginId: 'alice', serviceId: 'session-service', device: 'web', by: 'session-service' };
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { type: 'session.created', sessionId, version: 1, ...common },
      { type: 'session.updated', sessionId, version: 2, ...common },
      { type: 'session.rotated', sessionId, rotatedTo: rotated.sessionId, ...common },
      { type: 'session.ended', sessionId: rotated.sessionId, reason: 'kicked-out', actor: 'support', ...common },
    ]);
    expect(reader.types).toEqual(reader.events.map(({ data }) => data?.['type']));
  });

  test('delivers the changes of another process on the same storage', async () => {
    const reader = await follow();
    const { sessionId } = await other.sessions.createSession('bob');
    await other.sessions.deleteSession(sessionId);
    await reader.untilEvents(2);
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { type: 'session.created', sessionId, by: 'other' },
      { type: 'session.ended', sessionId, reason: 'logged-out', by: 'other' },
    ]);
  });

  test('delivers only the requested types', async () => {
    const reader = await follow('?type=session.updated,session.ended&loginId=carol');
    const { sessionId } = await service.sessions.createSession('carol');
    await service.sessions.setAttribute(sessionId, 'role', 'customer');
    await service.sessions.deleteSession(sessionId);
    await reader.untilEvents(2);
    expect(reader.types).toEqual(['session.updated', 'session.ended']);
  });

  test('delivers only changes of the requested user', async () => {
    const reader = await follow('?loginId=dave');
    await service.sessions.createSession('dav');
    await service.sessions.createSession('dave2');
    await endWith(reader, 'dave');
    expect(reader.events.map(({ data }) => data?.['loginId'])).toEqual(['dave']);
  });

  test('delivers only changes of the requested session, including the rotations from and to it', async () => {
    const first = await service.sessions.createSession('erin');
    const neighbour = await service.sessions.createSession('erin');
    const reader = await follow(`?sessionId=${first.sessionId}`);
    await service.sessions.setAttribute(neighbour.sessionId, 'role', 'customer');
    const second = await service.sessions.rotateSession(first.sessionId);
    await reader.untilEvents(1);
    const next = await follow(`?sessionId=${second.sessionId}`);
    await service.sessions.setAttribute(neighbour.sessionId, 'role', 'seller');
    await service.sessions.deleteSession(second.sessionId);
    await next.untilEvents(1);
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { type: 'session.rotated', sessionId: first.sessionId, rotatedTo: second.sessionId },
    ]);
    const resumed = await follow(`?sessionId=${second.sessionId}&lastEventId=${reader.frames[0]?.id}`);
    await resumed.untilEvents(2);
    expect(resumed.types).toEqual(['session.rotated', 'session.ended']);
    expect(next.types).toEqual(['session.ended']);
  });

  test('delivers only changes of sessions that the requested service created', async () => {
    const shop = service.sessions.as({ serviceId: 'shop', permissions: ['session.create'] });
    const reader = await follow('?serviceId=shop');
    await service.sessions.createSession('frank');
    const { sessionId } = await shop.createSession('frank');
    await reader.untilEvents(1);
    expect(reader.events).toMatchObject([{ data: { sessionId, serviceId: 'shop' } }]);
  });

  test('delivers service changes only to a reader with the permission service.read', async () => {
    const registrar = await service.register('registrar', 'session.list', 'service.read');
    const readers = [await follow(), await follow('', registrar), await follow('?serviceId=gateway', registrar)];
    const narrower = await follow('?loginId=grace', registrar);
    await service.register('gateway');
    await service.sessions.createSession('grace');
    await Promise.all([readers[0]!.untilEvents(1), readers[1]!.untilEvents(2), narrower.untilEvents(1)]);
    await readers[2]!.untilEvents(1);
    expect(readers.map(({ types }) => types)).toEqual([
      ['session.created'],
      ['service.changed', 'session.created'],
      ['service.changed'],
    ]);
    expect(readers[2]!.events).toMatchObject([{ data: { serviceId: 'gateway', change: 'registered' } }]);
    expect(narrower.types).toEqual(['session.created']);
  });

  test('sends heartbeats with an advancing id', async () => {
    const reader = await follow('?loginId=unknown');
    const before = reader.lastId;
    await service.sessions.createSession('heidi');
    await reader.until(({ frames, lastId }) => frames.at(-1)!.isHeartbeat && lastId !== before);
    expect(reader.types).toEqual([]);
    const resumed = await follow(`?lastEventId=${reader.lastId}`);
    await endWith(resumed, 'ivan');
    expect(resumed.events.map(({ data }) => data?.['loginId'])).toEqual(['ivan']);
  });

  test('sends heartbeats while it filters out many changes', async () => {
    const reader = await follow('?loginId=unknown');
    const { sessionId } = await service.sessions.createSession('judy');
    const isAlive = () => reader.frames.some(({ isHeartbeat }) => isHeartbeat);
    for (let count = 0; !isAlive(); count++) {
      await service.sessions.setAttribute(sessionId, 'count', count);
      await setImmediate();
    }
    expect(reader.types).toEqual([]);
  });

  test('contains no token, secret, digest or attribute', async () => {
    const reader = await follow('', service.administrator);
    const attributes = { 'canary-key': 'canary-value', 'order.total': { amount: 'canary-amount' } };
    const client = { ip: 'canary-ip', userAgent: 'canary-agent' };
    const chosen = await service.sessions.createSession('kate', 'canary-token-of-the-user-kate', {
      attributes,
      client,
    });
    const drawn = await service.sessions.createSession('kate', undefined, { attributes });
    await service.sessions.setAttributes(drawn.sessionId, { set: { role: 'canary-role' }, remove: ['canary-key'] });
    const rotated = await service.sessions.rotateSession(chosen.sessionId);
    const gateway = { serviceId: 'gateway', serviceName: 'canary-name', permissions: ['session.read:canary.*'] };
    const registered = await service.sessions.registerService(gateway, { replace: true });
    const renewed = await service.sessions.rotateServiceSecret('gateway', { secretKey: 'canary-of-the-gateway' });
    await service.sessions.verifyServiceSecret(registered.secret);
    await service.sessions.deleteAllSessions('kate');
    await expect(service.sessions.verifySession(drawn.credential)).rejects.toThrow('ended');
    await service.sessions.revokeService('gateway');
    await reader.until(({ types }) => types.filter((type) => type === 'service.changed').length === 3);
    expect(new Set(reader.types)).toEqual(new Set(SESSION_EVENT_TYPES.filter((type) => type !== 'feed.gap')));
    const secrets = [chosen, drawn, rotated].map(({ token }) => token).concat(registered.secret, renewed.secret);
    const digests = secrets.map((secret) => createHash('sha256').update(secret).digest());
    const written = digests.flatMap((digest) => [digest.toString('hex'), digest.toString('base64url')]);
    expect([...secrets, ...written, 'canary'].filter((hidden) => reader.text.includes(hidden))).toEqual([]);
  });

  test('is not opened by a HEAD request, which returns its headers', async () => {
    const opening = jest.spyOn(service.app.get(EventStreams, { strict: false }), 'stream');
    const head = await send(`${service.url}/v1/events`, watcher, 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toContain('text/event-stream');
    expect(opening).not.toHaveBeenCalled();
    opening.mockRestore();
  });
});
