import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { EventStreams } from '../../src/events/event-streams.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send } from '../support/http-request.js';
import { ALL_SERVERS, type RunningService, startService, stopServices } from '../support/running-service.js';

/** Long enough to open a stream on a busy machine. */
const OVERLAP_MS = 2_000;

describe.each(ALL_SERVERS)('On %s, an event stream', (HTTP_ADAPTER) => {
  let service: RunningService;
  let watcher: Record<string, string>;

  beforeEach(async () => {
    const variables = { HTTP_ADAPTER, EVENTS_MAX_PER_SERVICE: '2', EVENTS_MAX_STREAM_MS: '300' };
    service = await startService({ variables });
    watcher = await service.register('watcher', 'session.list', 'service.read');
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  const follow = (headers: Record<string, string>, { url } = service) => EventReader.open(`${url}/v1/events`, headers);
  const openStreams = () => service.app.get(EventStreams, { strict: false }).open;

  test('ends after its maximum lifetime, and loses no event of a reader that resumes', async () => {
    const { sessionId } = await service.sessions.createSession('alice');
    const received: unknown[] = [];
    const written: number[] = [];
    let lastId: string | undefined;
    for (let stream = 0; stream < 3; stream++) {
      const reader = await follow({ ...watcher, ...(lastId !== undefined && { 'last-event-id': lastId }) });
      while (!reader.isOver) {
        written.push((await service.sessions.setAttribute(sessionId, 'n', written.length)).version);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect([reader.isComplete, reader.text.includes(': ended')]).toEqual([true, true]);
      received.push(...reader.events.map(({ data }) => data?.['version']));
      ({ lastId } = reader);
    }
    const rest = await follow({ ...watcher, 'last-event-id': lastId! });
    await rest.until(({ events }) => events.length >= written.length - received.length);
    received.push(...rest.events.map(({ data }) => data?.['version']));
    expect(received).toEqual(written);
  });

  test("ends at the end of its secret's overlap, and resumes with the new secret", async () => {
    service = await startService({ variables: { HTTP_ADAPTER }, storage: service.storage });
    const renewed = await service.sessions.rotateServiceSecret('watcher', { overlapMs: OVERLAP_MS });
    const reader = await follow(watcher);
    expect(reader.status).toBe(200);
    await reader.untilOver();
    expect([reader.isComplete, reader.types]).toEqual([true, []]);
    expect((await send(`${service.url}/v1/events`, watcher)).status).toBe(401);
    const { sessionId } = await service.sessions.createSession('alice');
    const resumed = await follow({ ...basic('watcher', renewed.secret), 'last-event-id': reader.lastId });
    await resumed.untilEvents(1);
    expect(resumed.events).toMatchObject([{ data: { sessionId } }]);
  });

  test('does not open if the credential was revoked after the request was authenticated', async () => {
    const streams = service.app.get(EventStreams, { strict: false });
    const open = streams.stream.bind(streams);
    streams.stream = async (...given) => {
      await service.sessions.revokeService('watcher');
      return open(...given);
    };
    expect(await send(`${service.url}/v1/events`, watcher)).toMatchObject({
      status: 401,
      json: { code: 'ERR_SERVICE_AUTHENTICATION' },
    });
    expect(openStreams()).toBe(0);
  });

  test('is one of a limited number for each service', async () => {
    service = await startService({
      variables: { HTTP_ADAPTER, EVENTS_MAX_PER_SERVICE: '2' },
      storage: service.storage,
    });
    const other = await service.register('other', 'session.list');
    const [first] = [await follow(watcher), await follow(watcher)];
    const refused = await send(`${service.url}/v1/events`, watcher);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.json).toMatchObject({ code: 'ERR_TOO_MANY_STREAMS' });
    for (let count = 0; count < 5; count++) {
      expect((await send(`${service.url}/v1/events`, watcher, 'HEAD')).status).toBe(200);
    }
    expect((await follow(other)).status).toBe(200);
    first.close();
    await eventually(() => openStreams() === 2);
    expect((await follow(watcher)).status).toBe(200);
  });
});
