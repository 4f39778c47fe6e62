import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send, sendRaw } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const HELD = 20;

describe.each(SERVERS)('resuming server-sent events on %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let watcher: Record<string, string>;
  let sessionId: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) } });
    watcher = await service.register('watcher', 'session.list');
    ({ sessionId } = await service.sessions.createSession('alice'));
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  /** The two ways of an id. */
  const WAYS = [
    ['Last-Event-ID', (id: string) => resume('', { 'last-event-id': id })],
    ['?lastEventId', (id: string) => resume(`?lastEventId=${id}`)],
  ] as const;

  const resume = (query = '', headers: Record<string, string> = {}) =>
    EventReader.open(`${service.url}/v1/events${query}`, { ...watcher, ...headers });

  /** Makes so many events, and returns the versions of the session that they tell of. */
  const change = async (times: number): Promise<number[]> => {
    const versions: number[] = [];
    for (let count = 0; count < times; count++) {
      versions.push((await service.sessions.setAttribute(sessionId, 'count', count)).version);
    }
    return versions;
  };

  test.each(WAYS)('with %s misses nothing that is still held, and tells nothing twice', async (_way, resumeAfter) => {
    const first = await resume();
    const versions = await change(3);
    await first.untilEvents(3);
    first.close();
    versions.push(...(await change(HELD)));
    const second = await resumeAfter(first.lastId);
    await second.untilEvents(HELD);
    versions.push(...(await change(2)));
    await second.untilEvents(HELD + 2);
    expect([...versionsOf(first), ...versionsOf(second)]).toEqual(versions);
    const ids = [...first.events, ...second.events].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('goes on after the event in the middle whose id is sent', async () => {
    const first = await resume();
    const versions = await change(5);
    await first.untilEvents(5);
    const second = await resume('', { 'last-event-id': first.events[1]!.id! });
    await second.untilEvents(3);
    expect(versionsOf(second)).toEqual(versions.slice(2));
  });

  test('goes by the header where the query has an id as well, as a browser sends both', async () => {
    const first = await resume();
    const versions = await change(2);
    await first.untilEvents(2);
    const second = await resume(`?lastEventId=${first.frames[0]!.id}`, { 'last-event-id': first.events[0]!.id! });
    await second.untilEvents(1);
    expect(versionsOf(second)).toEqual(versions.slice(1));
  });

  test.each(WAYS)('with %s says so when the events after the id are not held any more', async (_way, resumeAfter) => {
    const first = await resume();
    await change(HELD + 1);
    const second = await resumeAfter(first.frames[0]!.id!);
    const versions = await change(2);
    await second.untilEvents(3);
    expect(second.types).toEqual(['feed.gap', 'session.updated', 'session.updated']);
    expect(versionsOf(second)).toEqual([undefined, ...versions]);
    expect(second.events[0]!.data).toEqual({ type: 'feed.gap', at: expect.any(Number) });
    const third = await resume('', { 'last-event-id': second.events[0]!.id! });
    await third.untilEvents(2);
    expect(versionsOf(third)).toEqual(versions);
  });

  test('tells of the gap whatever the filter asks for', async () => {
    const reader = await resume('?type=session.ended&loginId=nobody&lastEventId=000000000000-1');
    await reader.untilEvents(1);
    expect(reader.types).toEqual(['feed.gap']);
  });

  test.each([
    ['of another process, or of the time before a restart', afterRestart],
    ['that was never given', async () => `${(await resume()).lastId}0`],
    ['far beyond the newest', async () => (await resume()).lastId.replace(/\d+$/, '999999999999999')],
  ])('with an id %s says so, and goes on with what is new', async (_which, foreignId) => {
    const reader = await resume('', { 'last-event-id': await foreignId() });
    const versions = await change(1);
    await reader.untilEvents(2);
    expect(reader.types).toEqual(['feed.gap', 'session.updated']);
    expect(versionsOf(reader).slice(1)).toEqual(versions);
  });

  /** An id of another start of the service, at a position that this one holds as well. */
  async function afterRestart(): Promise<string> {
    const restarted = await startService({ variables: { HTTP_ADAPTER }, storage: service.storage });
    const { lastId: foreign } = await EventReader.open(`${restarted.url}/v1/events`, watcher);
    const { lastId: own } = await resume();
    return foreign.replace(/\d+$/, own.split('-')[1]!);
  }

  test.each([
    ['', 'is empty'],
    ['7', 'has no process'],
    ['000000000000-', 'has no position'],
    ['000000000000--1', 'has a negative position'],
    ['000000000000-1.5', 'has half a position'],
    ['000000000000-1234567890123456', 'is too long a number'],
    ['00000000000g-1', 'has no hexadecimal process'],
    ['000000000000-1 ', 'ends in a space'],
    ['constructor', 'is a name of the prototype'],
  ])('refuses the id %j, which %s', async (id) => {
    const answer = await send(`${service.url}/v1/events?lastEventId=${encodeURIComponent(id)}`, watcher);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'ERR_REQUEST_INPUT', field: 'lastEventId' });
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  });

  test('refuses two ids in headers, and two in the query', async () => {
    const twice = [
      ...Object.entries(watcher),
      ['Last-Event-ID', '000000000000-1'],
      ['Last-Event-ID', '000000000000-2'],
    ];
    const headers = await sendRaw(service.url, '/v1/events', twice as [string, string][]);
    expect(headers).toMatchObject({ status: 400, json: { code: 'ERR_REQUEST_HEADER', field: 'last-event-id' } });
    const query = await send(`${service.url}/v1/events?lastEventId=000000000000-1&lastEventId=000000000000-2`, watcher);
    expect(query).toMatchObject({ status: 400, json: { code: 'ERR_REQUEST_INPUT', field: 'lastEventId' } });
  });
});

function versionsOf(reader: EventReader): readonly unknown[] {
  return reader.events.map(({ data }) => data?.['version']);
}
