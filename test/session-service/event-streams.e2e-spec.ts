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
  let secret: string;
  let keyId: string;

  beforeAll(async () => {
    storage = new GappyStorage();
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) }, storage });
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

  test('buffers a bounded amount for a reader that stops reading, and delivers a gap when it reads again', async () => {
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
