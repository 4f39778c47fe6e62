import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, SessionEvents } from 'nestjs-distributed-session';
import { EventLog } from './event-log.js';
import { EventStreams } from './event-streams.js';

const MAX_STREAMS = 1_000;

describe('EventStreams', () => {
  let streams: EventStreams;
  const open: Readable[] = [];

  beforeEach(() => {
    const log = new EventLog(new SessionEvents(new InMemorySessionStorage()), { EVENTS_HELD: 10 });
    streams = new EventStreams(log, { EVENTS_HEARTBEAT_MS: 60_000 });
  });

  afterEach(() => {
    for (const stream of open.splice(0)) stream.destroy();
  });

  const openOne = () => {
    const stream = streams.stream('reader', () => true, undefined);
    open.push(stream);
    return stream;
  };

  test('counts a stream until it is destroyed, even while it waits for an event', async () => {
    const stream = openOne();
    stream.resume();
    await new Promise((resolve) => setImmediate(resolve));
    expect(streams.open).toBe(1);
    stream.destroy();
    await closed(stream);
    expect(streams.open).toBe(0);
  });

  test('stops counting a stream that was destroyed before it was read', async () => {
    const stream = openOne();
    stream.destroy();
    await closed(stream);
    expect(streams.open).toBe(0);
  });

  test('does not count a stream with an invalid id', () => {
    expect(() => streams.stream('reader', () => true, 'not an id')).toThrow('Last-Event-ID');
    expect(streams.open).toBe(0);
  });

  test('rejects streams beyond the limit, and accepts a new one after one has closed', async () => {
    for (let count = 0; count < MAX_STREAMS; count++) openOne();
    expect(openOne).toThrow('The limit of 1000 open event streams is reached.');
    expect(streams.open).toBe(MAX_STREAMS);
    open[0]!.destroy();
    await closed(open[0]!);
    openOne();
    expect(openOne).toThrow(expect.objectContaining({ code: 'ERR_TOO_MANY_STREAMS' }));
  });
});

function closed(stream: Readable): Promise<unknown> {
  return new Promise((resolve) => stream.once('close', resolve));
}
