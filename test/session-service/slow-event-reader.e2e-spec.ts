import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EventLog } from '../../src/events/event-log.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const HELD = 100;
/** As long as a login id may be, of characters that take six bytes each in JSON: the buffers of the system fill sooner. */
const LOGIN_ID = '\u0001'.repeat(256);
const EVENTS_AFTER_STALL = 3_000;
/** What a connection may have waiting in this process: a small multiple of Node's own limits. */
const MAX_WAITING_BYTES = 512 * 1024;

describe.each(SERVERS)('a reader of events that does not read, on %s', (HTTP_ADAPTER) => {
  let service: RunningService;
  let reader: EventReader;
  const connections: Socket[] = [];

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) } });
    (service.app.getHttpServer() as Server).on('connection', (socket: Socket) => connections.push(socket));
    const watcher = await service.register('watcher', 'session.list');
    reader = await EventReader.open(`${service.url}/v1/events?type=session.updated,session.ended`, watcher);
    reader.pause();
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  test('costs no memory beyond its buffer, and is told of the gap when it reads again', async () => {
    const { sessionId } = await service.sessions.createSession(LOGIN_ID);
    const [connection] = connections;
    let [written, stalledAt, count, mostWaiting] = [-1, 0, 0, 0];
    // How much a system buffers differs: on from where the connection takes no more.
    while (count - stalledAt < EVENTS_AFTER_STALL) {
      count = (await service.sessions.setAttribute(sessionId, 'count', count)).version;
      // A turn of the event loop, in which the stream sends what the connection takes.
      if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (connection!.bytesWritten !== written) stalledAt = count;
      written = connection!.bytesWritten;
      mostWaiting = Math.max(mostWaiting, connection!.writableLength);
    }
    expect(mostWaiting).toBeLessThan(MAX_WAITING_BYTES);
    const log = service.app.get(EventLog, { strict: false });
    expect([HELD, HELD + 1].map((ago) => log.isHeldAfter(log.end - ago))).toEqual([true, false]);

    reader.resume();
    await reader.until(({ text }) => text.includes('event: feed.gap'));
    await service.sessions.deleteSession(sessionId);
    await reader.until(({ text }) => text.includes('event: session.ended'));
    const { types, events } = reader;
    const versions = events
      .filter(({ event }) => event === 'session.updated')
      .map(({ data }) => Number(data?.['version']));
    const firstMissed = types.indexOf('feed.gap');
    // Whole up to the gap; after it only what is newer.
    expect(versions.slice(0, firstMissed)).toEqual(Array.from({ length: firstMissed }, (_, index) => index + 2));
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    expect(reader.lastId).toMatch(new RegExp(`-${log.end}$`));
  });
});
