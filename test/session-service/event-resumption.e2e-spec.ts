import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** The number of events that the service holds for resuming. */
const HELD = 20;

describe.each(SERVERS)('On %s, an event stream', (HTTP_ADAPTER) => {
  let service: RunningService;
  let watcher: Record<string, string>;
  let sessionId: string;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) } });
    watcher = await service.register('watcher', 'session.list', 'service.read');
    ({ sessionId } = await service.sessions.createSession('alice'));
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  const follow = (query = '', headers: Record<string, string> = {}) =>
    EventReader.open(`${service.url}/v1/events${query}`, { ...watcher, ...headers });

  /** Changes the session this many times, and returns its versions. */
  const change = async (times: number): Promise<number[]> => {
    const versions: number[] = [];
    for (let count = 0; count < times; count++) {
      versions.push((await service.sessions.setAttribute(sessionId, 'count', count)).version);
    }
    return versions;
  };

  /** The two ways to send an event id. */
  const WAYS = [
    ['Last-Event-ID', (id: string) => follow('', { 'last-event-id': id })],
    ['?lastEventId', (id: string) => follow(`?lastEventId=${id}`)],
  ] as const;

  test.each(WAYS)('delivers each event that is still held once after %s', async (_way, resumeAfter) => {
    const first = await follow();
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

  test('continues after the id of any event', async () => {
    const first = await follow();
    const versions = await change(5);
    await first.untilEvents(5);
    const second = await follow('', { 'last-event-id': first.events[1]!.id! });
    await second.untilEvents(3);
    expect(versionsOf(second)).toEqual(versions.slice(2));
  });

  test('prefers Last-Event-ID over ?lastEventId, as a browser sends both', async () => {
    const first = await follow();
    const versions = await change(2);
    await first.untilEvents(2);
    const second = await follow(`?lastEventId=${first.frames[0]!.id}`, { 'last-event-id': first.events[0]!.id! });
    await second.untilEvents(1);
    expect(versionsOf(second)).toEqual(versions.slice(1));
  });

  test.each(WAYS)('delivers a gap first if the events after %s are no longer held', async (_way, resumeAfter) => {
    const first = await follow();
    await change(HELD + 1);
    const second = await resumeAfter(first.frames[0]!.id!);
    const versions = await change(2);
    await second.untilEvents(3);
    expect(second.types).toEqual(['feed.gap', 'session.updated', 'session.updated']);
    expect(versionsOf(second)).toEqual([undefined, ...versions]);
    expect(second.events[0]!.data).toEqual({ type: 'feed.gap', at: expect.any(Number) });
    const third = await follow('', { 'last-event-id': second.events[0]!.id! });
    await third.untilEvents(2);
    expect(versionsOf(third)).toEqual(versions);
  });

  test('delivers a gap regardless of its filter', async () => {
    const reader = await follow('?type=session.ended&loginId=unknown&lastEventId=000000000000-1');
    await reader.untilEvents(1);
    expect(reader.types).toEqual(['feed.gap']);
  });

  test.each([
    ['of another process', afterRestart],
    ['that was never issued', async () => `${(await follow()).lastId}0`],
    ['far beyond the newest', async () => (await follow()).lastId.replace(/\d+$/, '999999999999999')],
  ])('delivers a gap and then new events after an id %s', async (_which, foreignId) => {
    const reader = await follow('', { 'last-event-id': await foreignId() });
    const versions = await change(1);
    await reader.untilEvents(2);
    expect(reader.types).toEqual(['feed.gap', 'session.updated']);
    expect(versionsOf(reader).slice(1)).toEqual(versions);
  });

  /** An id of another process, at a position that this process holds as well. */
  async function afterRestart(): Promise<string> {
    const restarted = await startService({ variables: { HTTP_ADAPTER }, storage: service.storage });
    const { lastId: foreign } = await EventReader.open(`${restarted.url}/v1/events`, watcher);
    const { lastId: own } = await follow();
    return foreign.replace(/\d+$/, own.split('-')[1]!);
  }
});

function versionsOf(reader: EventReader): readonly unknown[] {
  return reader.events.map(({ data }) => data?.['version']);
}
