import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import type { StorageChangeListener } from 'nestjs-distributed-session/storage';
import { EventLog } from '../../src/events/event-log.js';
import { EventStreams } from '../../src/events/event-streams.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { send } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const PERMISSIONS = ['session.list', 'service.read'];
/** The number of events that the service holds for resuming. */
const HELD = 20;
/** A login id of the maximum length, whose characters take six bytes each in JSON, so that system buffers fill soon. */
const LONG_LOGIN_ID = '\u0001'.repeat(256);
const EVENTS_AFTER_STALL = 3_000;
/** A small multiple of Node's own limits for the unsent data of a connection. */
const MAX_WAITING_BYTES = 512 * 1024;

/** A storage whose change feed can report a gap. */
class GappyStorage extends InMemorySessionStorage {
  readonly #listeners: StorageChangeListener[] = [];

  override changes(listener: StorageChangeListener): () => void {
    this.#listeners.push(listener);
    return super.changes(listener);
  }

  reportGap(): void {
    for (const listener of this.#listeners) listener({ type: 'feed.gap', at: this.now() });
  }
}

describe.each(SERVERS)('On %s, an event stream', (HTTP_ADAPTER) => {
  let storage: GappyStorage;
  let service: RunningService;
  let sessionId: string;
  let secret: string;
  let keyId: string;

  beforeAll(async () => {
    storage = new GappyStorage();
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) }, storage });
    ({ sessionId } = await service.sessions.createSession('alice'));
  });

  beforeEach(async () => {
    const registration = { serviceId: 'watcher', serviceName: 'Watcher', permissions: PERMISSIONS };
    ({ secret, keyId } = await service.sessions.registerService(registration, { replace: true }));
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  const follow = (query = '', headers: Record<string, string> = {}) =>
    EventReader.open(`${service.url}/v1/events${query}`, { ...basic('watcher', secret), ...headers });
  const streams = () => service.app.get(EventStreams, { strict: false });

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
    const { lastId: foreign } = await EventReader.open(`${restarted.url}/v1/events`, basic('watcher', secret));
    const { lastId: own } = await follow();
    return foreign.replace(/\d+$/, own.split('-')[1]!);
  }

  describe('with a reader', () => {
    let reader: EventReader;

    beforeEach(async () => {
      await eventually(() => streams().open === 0);
      reader = await follow();
    });

    test.each([
      ['revoked', () => service.sessions.revokeService('watcher')],
      ['secret-added', () => service.sessions.rotateServiceSecret('watcher')],
      ['secret-ended', () => service.sessions.endServiceSecret('watcher', keyId)],
      [
        'replaced',
        () => {
          const registration = { serviceId: 'watcher', serviceName: 'Watcher', permissions: [] };
          return service.sessions.registerService(registration, { replace: true });
        },
      ],
    ])("ends when its reader's credential changes: %s", async (kind, makeChange) => {
      await makeChange();
      await reader.untilOver();
      expect(reader.events.map(({ data }) => data)).toMatchObject([{ serviceId: 'watcher', change: kind }]);
      expect(reader.isComplete).toBe(true);
    });

    test("ends when its reader's credential changes, even if its filter excludes service changes", async () => {
      const blind = await follow('?type=session.created');
      await service.sessions.revokeService('watcher');
      await blind.untilOver();
      expect([blind.types, blind.isComplete]).toEqual([[], true]);
    });

    test('does not end again at the same position for a reader that resumes with a new credential', async () => {
      const blind = await follow('?type=session.created');
      const renewed = await service.sessions.rotateServiceSecret('watcher');
      await blind.untilOver();
      const created = await service.sessions.createSession('alice');
      const headers = basic('watcher', renewed.secret);
      const resumed = await follow(`?type=session.created&lastEventId=${blind.lastId}`, headers);
      await resumed.untilEvents(1);
      expect(resumed.events).toMatchObject([{ data: { sessionId: created.sessionId } }]);
      expect(resumed.isOver).toBe(false);
    });

    test('ends at a gap, which may hide a change of the credential', async () => {
      storage.reportGap();
      await reader.untilOver();
      expect([reader.types, reader.isComplete]).toEqual([['feed.gap'], true]);
      const resumed = await follow(`?lastEventId=${reader.lastId}`);
      await service.sessions.createSession('alice');
      await resumed.untilEvents(1);
      expect(resumed.types).toEqual(['session.created']);
    });

    test("does not end when another service's credential changes", async () => {
      await service.register('other');
      await service.sessions.rotateServiceSecret('other');
      await service.sessions.revokeService('other');
      await reader.untilEvents(3);
      await service.sessions.createSession('alice');
      await reader.untilEvents(4);
      expect(reader.isOver).toBe(false);
    });

    test('ends when the client disconnects, without waiting for an event', async () => {
      const second = await follow();
      await eventually(() => streams().open === 2);
      second.close();
      await eventually(() => streams().open === 1);
      reader.close();
      await eventually(() => streams().open === 0);
      const metrics = await send(`${service.url}/metrics`);
      expect(metrics.text).toContain('\nsession_service_event_streams 0\n');
    });

    test('is no longer counted after the server has ended it', async () => {
      await eventually(() => streams().open === 1);
      await service.sessions.revokeService('watcher');
      await reader.untilOver();
      await eventually(() => streams().open === 0);
      expect(reader.isComplete).toBe(true);
    });

    test('ends when the service stops', async () => {
      const stopping = await startService({ variables: { HTTP_ADAPTER, SHUTDOWN_TIMEOUT_MS: '120000' }, storage });
      const headers = basic('watcher', secret);
      const readers = [
        await EventReader.open(`${stopping.url}/v1/events`, headers),
        await EventReader.open(`${stopping.url}/v1/events?loginId=unknown`, headers),
      ];
      await stopping.app.close();
      await Promise.all(readers.map((each) => each.untilOver()));
      expect(readers.map(({ isComplete }) => isComplete)).toEqual([true, true]);
    });
  });

  test('to a reader that stops reading buffers a bounded amount, and delivers a gap when it reads again', async () => {
    const { sessionId: longId } = await service.sessions.createSession(LONG_LOGIN_ID);
    const connections: Socket[] = [];
    (service.app.getHttpServer() as Server).on('connection', (socket: Socket) => connections.push(socket));
    const url = `${service.url}/v1/events?type=session.updated,session.ended`;
    const slow = await EventReader.open(url, basic('watcher', secret));
    slow.pause();
    const [connection] = connections;
    let [written, stalledAt, count, mostWaiting] = [-1, 0, 0, 0];
    // Systems buffer different amounts, so this counts from the last byte that the connection accepted.
    while (count - stalledAt < EVENTS_AFTER_STALL) {
      count = (await service.sessions.setAttribute(longId, 'count', count)).version;
      // In this turn of the event loop, the stream sends what the connection accepts.
      if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (connection!.bytesWritten !== written) stalledAt = count;
      written = connection!.bytesWritten;
      mostWaiting = Math.max(mostWaiting, connection!.writableLength);
    }
    expect(mostWaiting).toBeLessThan(MAX_WAITING_BYTES);
    const log = service.app.get(EventLog, { strict: false });
    expect([HELD, HELD + 1].map((ago) => log.isHeldAfter(log.end - ago))).toEqual([true, false]);

    slow.resume();
    // The missed events may include a change of the reader's credential, so the stream ends and the reader resumes.
    await slow.until(({ isOver }) => isOver);
    const { types, events, lastId } = slow;
    expect([types.at(-1), slow.isComplete]).toEqual(['feed.gap', true]);
    await service.sessions.deleteSession(longId);
    const resumed = await EventReader.open(url, { ...basic('watcher', secret), 'last-event-id': lastId });
    await resumed.untilEvents(1);
    expect(resumed.types).toEqual(['session.ended']);
    const versions = events
      .filter(({ event }) => event === 'session.updated')
      .map(({ data }) => Number(data?.['version']));
    // Nothing is missing before the gap.
    expect(versions).toEqual(Array.from(versions, (_, index) => index + 2));
    expect(versions.length).toBeGreaterThan(0);
    expect(lastId).toMatch(new RegExp(`-${log.end - 1}$`));
  });
});

function versionsOf(reader: EventReader): readonly unknown[] {
  return reader.events.map(({ data }) => data?.['version']);
}
