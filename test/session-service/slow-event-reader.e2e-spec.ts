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
  let watcher: Record<string, string>;
  let url: string;
  const connections: Socket[] = [];

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, EVENTS_HELD: String(HELD) } });
    (service.app.getHttpServer() as Server).on('connection', (socket: Socket) => connections.push(socket));
    watcher = await service.register('watcher', 'session.list');
    url = `${service.url}/v1/events?type=session.updated,session.ended`;
    reader = await EventReader.open(url, watcher);
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
    // Among what it missed may be a change of its own credential: the stream ends, and goes on for who is proven anew.
    await reader.until(({ isOver }) => isOver);
    const { types, events, lastId } = reader;
    expect([types.at(-1), reader.isComplete]).toEqual(['feed.gap', true]);
    await service.sessions.deleteSession(sessionId);
    const resumed = await EventReader.open(url, { ...watcher, 'last-event-id': lastId });
    await resumed.untilEvents(1);
    expect(resumed.types).toEqual(['session.ended']);
    const versions = events
      .filter(({ event }) => event === 'session.updated')
      .map(({ data }) => Number(data?.['version']));
    // Whole up to the gap.
    expect(versions).toEqual(Array.from(versions, (_, index) => index + 2));
    expect(versions.length).toBeGreaterThan(0);
    expect(lastId).toMatch(new RegExp(`-${log.end - 1}$`));
  });
});
