import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import type { StorageChangeListener } from 'nestjs-distributed-session/storage';
import { EventStreams } from '../../src/events/event-streams.js';
import { basic } from '../support/credential-headers.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { send } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

const PERMISSIONS = ['session.list', 'service.read'];
const PROMPTLY_MS = 2_000;

/** A storage whose feed can miss something. */
class GappyStorage extends InMemorySessionStorage {
  readonly #listeners: StorageChangeListener[] = [];

  override changes(listener: StorageChangeListener): () => void {
    this.#listeners.push(listener);
    return super.changes(listener);
  }

  missSomething(): void {
    for (const tell of this.#listeners) tell({ type: 'feed.gap', at: this.now() });
  }
}

describe.each(SERVERS)('the end of an event stream on %s', (HTTP_ADAPTER) => {
  let storage: GappyStorage;
  let service: RunningService;
  let secret: string;
  let keyId: string;
  let reader: EventReader;

  beforeAll(async () => {
    storage = new GappyStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
  });

  beforeEach(async () => {
    const registration = { serviceId: 'watcher', serviceName: 'Watcher', permissions: PERMISSIONS };
    ({ secret, keyId } = await service.sessions.registerService(registration, { replace: true }));
    reader = await follow();
  });

  afterEach(closeReaders);
  afterAll(stopServices);

  const follow = (query = '', headers = basic('watcher', secret)) =>
    EventReader.open(`${service.url}/v1/events${query}`, headers);
  const streams = () => service.app.get(EventStreams, { strict: false });

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
  ])('comes when the credential of its reader is changed: %s', async (change, makeChange) => {
    await makeChange();
    await reader.untilOver();
    expect(reader.events.map(({ data }) => data)).toMatchObject([{ serviceId: 'watcher', change }]);
    expect(reader.isComplete).toBe(true);
  });

  test('comes also where the reader is not told of services', async () => {
    const blind = await follow('?type=session.created');
    await service.sessions.revokeService('watcher');
    await blind.untilOver();
    expect([blind.types, blind.isComplete]).toEqual([[], true]);
  });

  test('does not come again at the same place for who resumes with a new proof', async () => {
    const blind = await follow('?type=session.created');
    const renewed = await service.sessions.rotateServiceSecret('watcher');
    await blind.untilOver();
    const { sessionId } = await service.sessions.createSession('alice');
    const headers = basic('watcher', renewed.secret);
    const resumed = await follow(`?type=session.created&lastEventId=${blind.lastId}`, headers);
    await resumed.untilEvents(1);
    expect(resumed.events).toMatchObject([{ data: { sessionId } }]);
    expect(resumed.isOver).toBe(false);
  });

  test('comes when it cannot be known any more whether the credential was changed', async () => {
    storage.missSomething();
    await reader.untilOver();
    expect([reader.types, reader.isComplete]).toEqual([['feed.gap'], true]);
    const resumed = await follow(`?lastEventId=${reader.lastId}`);
    await service.sessions.createSession('alice');
    await resumed.untilEvents(1);
    expect(resumed.types).toEqual(['session.created']);
  });

  test('does not come when another service is changed', async () => {
    await service.register('gateway');
    await service.sessions.rotateServiceSecret('gateway');
    await service.sessions.revokeService('gateway');
    await reader.untilEvents(3);
    await service.sessions.createSession('alice');
    await reader.untilEvents(4);
    expect(reader.isOver).toBe(false);
  });

  test('is noticed at once when the client goes, though nothing happens', async () => {
    const second = await follow();
    await eventually(() => streams().open === 2);
    const startedAt = performance.now();
    second.close();
    await eventually(() => streams().open === 1);
    reader.close();
    await eventually(() => streams().open === 0);
    expect(performance.now() - startedAt).toBeLessThan(PROMPTLY_MS);
    const metrics = await send(`${service.url}/metrics`);
    expect(metrics.text).toContain('\nsession_service_event_streams 0\n');
  });

  test('is counted out when the server ends it', async () => {
    await eventually(() => streams().open === 1);
    await service.sessions.revokeService('watcher');
    await reader.untilOver();
    await eventually(() => streams().open === 0);
    expect(reader.isComplete).toBe(true);
  });

  test('comes when the service stops, which does not wait for its readers', async () => {
    const stopping = await startService({ variables: { HTTP_ADAPTER }, storage });
    const headers = basic('watcher', secret);
    const readers = [
      await EventReader.open(`${stopping.url}/v1/events`, headers),
      await EventReader.open(`${stopping.url}/v1/events?loginId=nobody`, headers),
    ];
    const startedAt = performance.now();
    await stopping.app.close();
    expect(performance.now() - startedAt).toBeLessThan(PROMPTLY_MS);
    await Promise.all(readers.map((each) => each.untilOver()));
    expect(readers.map(({ isComplete }) => isComplete)).toEqual([true, true]);
  });
});
