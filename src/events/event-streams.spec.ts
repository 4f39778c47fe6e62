import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  DistributedSessionManager,
  InMemorySessionStorage,
  ServiceAuthenticationError,
  SessionEvents,
  StorageUnavailableError,
  type VerifiedService,
} from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { EventLog } from './event-log.js';
import { EventStreams } from './event-streams.js';

const MAX_STREAMS = 1_000;
const MAX_STREAM_MS = 10_000;
const LIMITS = { EVENTS_HEARTBEAT_MS: 60_000, EVENTS_MAX_PER_SERVICE: 3, EVENTS_MAX_STREAM_MS: MAX_STREAM_MS };

describe('EventStreams', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let sessions: DistributedSessionManager;
  let streams: EventStreams;
  let reader: VerifiedService;
  let connection: { destroyed: boolean; destroy: jest.Mock };
  const open: Readable[] = [];

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    sessions = new DistributedSessionManager({ serviceId: 'service', storage });
    streams = new EventStreams(new EventLog(new SessionEvents(storage), { EVENTS_HELD: 10 }), storage, LIMITS);
    connection = { destroyed: false, destroy: jest.fn() };
    reader = await registered('reader');
  });

  afterEach(async () => {
    for (const stream of open.splice(0)) stream.destroy();
    jest.useRealTimers();
    await sessions.close();
  });

  const registered = async (serviceId: string) => {
    const { secret } = await sessions.registerService({ serviceId, serviceName: serviceId, permissions: [] });
    return sessions.verifyService(serviceId, secret);
  };

  const openOne = async (service = reader, lastEventId?: string) => {
    const stream = await streams.stream(service, { filter: () => true, lastEventId, connection });
    open.push(stream);
    return stream;
  };

  test('counts a stream until it is destroyed, even while it waits for an event', async () => {
    const stream = await openOne();
    stream.resume();
    await new Promise((resolve) => setImmediate(resolve));
    expect(streams.open).toBe(1);
    stream.destroy();
    await closed(stream);
    expect(streams.open).toBe(0);
  });

  test('stops counting a stream that was destroyed before it was read', async () => {
    const stream = await openOne();
    stream.destroy();
    await closed(stream);
    expect(streams.open).toBe(0);
  });

  test('does not count a stream with an invalid id, of a changed service, or without the storage', async () => {
    await expect(openOne(reader, 'not an id')).rejects.toThrow('Last-Event-ID');
    await expect(openOne({ ...reader, version: 2 })).rejects.toThrow(ServiceAuthenticationError);
    jest.spyOn(storage.services, 'find').mockRejectedValueOnce(new StorageUnavailableError());
    await expect(openOne()).rejects.toThrow(StorageUnavailableError);
    expect(streams.open).toBe(0);
  });

  test('does not open a stream for a service that was revoked, replaced or rotated since it was verified', async () => {
    await sessions.rotateServiceSecret('reader');
    await expect(openOne()).rejects.toThrow(ServiceAuthenticationError);
    await sessions.registerService({ serviceId: 'reader', serviceName: 'r', permissions: [] }, { replace: true });
    await expect(openOne()).rejects.toThrow(ServiceAuthenticationError);
    await sessions.revokeService('reader');
    await expect(openOne()).rejects.toThrow(ServiceAuthenticationError);
  });

  test('ends a stream whose service is revoked while the stream is opened', async () => {
    const find = storage.services.find.bind(storage.services);
    jest.spyOn(storage.services, 'find').mockImplementationOnce(async (serviceId) => {
      const found = await find(serviceId);
      // The check still sees the service.
      await sessions.revokeService('reader');
      return found;
    });
    const stream = await openOne();
    expect(await textOf(stream)).toContain('"change":"revoked"');
  });

  test('limits the streams of a service, and leaves the others theirs', async () => {
    const other = await registered('other');
    for (let count = 0; count < 3; count++) await openOne();
    await expect(openOne()).rejects.toThrow("Service 'reader' has reached its limit of 3 open event streams.");
    await expect(openOne()).rejects.toThrow(expect.objectContaining({ code: 'ERR_TOO_MANY_STREAMS' }));
    await openOne(other);
    open[0]!.destroy();
    await closed(open[0]!);
    await openOne();
    await expect(openOne()).rejects.toThrow('3 open event streams');
  });

  test('counts streams that are opened concurrently', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => openOne()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(streams.open).toBe(3);
  });

  test('limits the streams of all services together', async () => {
    const many = { ...LIMITS, EVENTS_MAX_PER_SERVICE: MAX_STREAMS };
    streams = new EventStreams(new EventLog(new SessionEvents(storage), { EVENTS_HELD: 10 }), storage, many);
    const other = await registered('other');
    for (let count = 0; count < MAX_STREAMS; count++) await openOne(count === 0 ? other : reader);
    await expect(openOne(other)).rejects.toThrow('The limit of 1000 open event streams is reached.');
    expect(streams.open).toBe(MAX_STREAMS);
  });

  test.each([
    ['at the end of the secret that opened it', 4_000, 4_000],
    ['after the maximum lifetime, if its secret is valid longer', 3_600_000, MAX_STREAM_MS],
    ['after the maximum lifetime, if its secret has no end', undefined, MAX_STREAM_MS],
  ])('ends a stream %s', async (_when, secretMs, endsAfterMs) => {
    jest.useFakeTimers();
    const secretEndsAt = secretMs === undefined ? undefined : clock.now() + secretMs;
    const stream = await openOne({ ...reader, ...(secretEndsAt !== undefined && { secretEndsAt }) });
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await jest.advanceTimersByTimeAsync(endsAfterMs - 1);
    expect([text.includes(': ended'), stream.destroyed]).toEqual([false, false]);
    await jest.advanceTimersByTimeAsync(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(text).toMatch(/\n: ended, reconnect to continue\nid: [0-9a-f]{12}-\d+\n\n$/);
    expect([streams.open, connection.destroy.mock.calls.length]).toEqual([0, 0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('closes the connection of a reader that does not read, 5 s after the end', async () => {
    jest.useFakeTimers();
    await openOne({ ...reader, secretEndsAt: clock.now() + 4_000 });
    await jest.advanceTimersByTimeAsync(8_999);
    expect(connection.destroy).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });

  test('opens no stream for a client that disconnected in the meantime', async () => {
    connection.destroyed = true;
    const stream = await openOne();
    await closed(stream);
    expect(streams.open).toBe(0);
  });
});

function closed(stream: Readable): Promise<unknown> {
  return new Promise((resolve) => stream.once('close', resolve));
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
