import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventStreams } from '../../src/events/event-streams.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** Long before any timeout that is not ours: keep-alive of connections is five seconds and more. */
const PROMPTLY_MS = 2_000;

describe.each(SERVERS)('a service that is told to stop, on %s', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let answering: AbortController;
  let keepAlive: Agent;

  beforeEach(() => {
    storage = new WatchedStorage();
    answering = new AbortController();
    keepAlive = new Agent({ keepAlive: true });
    storage.held.set(
      'listByLogin',
      once(answering.signal, 'abort').then(() => undefined),
    );
  });

  afterEach(async () => {
    answering.abort();
    keepAlive.destroy();
    closeReaders();
    await stopServices();
  });

  const start = (SHUTDOWN_TIMEOUT_MS = '60000') =>
    startService({ storage, variables: { HTTP_ADAPTER, SHUTDOWN_TIMEOUT_MS } });

  const get = async ({ url, administrator }: RunningService, path: string) => {
    const sent = request(url + path, { headers: administrator, agent: keepAlive }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, connection: response.headers.connection, text };
  };

  test('finishes the requests that are under way, on the store that is still open, and takes no new ones', async () => {
    const service = await start();
    const { sessionId } = await service.sessions.createSession('alice');
    const underWay = get(service, '/v1/logins/alice/sessions');
    await eventually(() => storage.calls.includes('listByLogin'));
    let isStopped = false;
    const stopping = stop(service).then((milliseconds) => {
      isStopped = true;
      return milliseconds;
    });
    await eventually(() => isRefused(service.url));
    expect([isStopped, storage.calls.includes('close')]).toEqual([false, false]);
    answering.abort();
    const { status, text } = await underWay;
    expect([status, text]).toEqual([200, expect.stringContaining(sessionId)]);
    expect(await stopping).toBeLessThan(PROMPTLY_MS);
    expect(storage.calls.at(-1)).toBe('close');
  });

  test('cuts what still hangs after SHUTDOWN_TIMEOUT_MS, and not before', async () => {
    const service = await start('200');
    const underWay = get(service, '/v1/logins/alice/sessions').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually(() => storage.calls.includes('listByLogin'));
    const took = await stop(service);
    expect(took).toBeGreaterThanOrEqual(190);
    expect(took).toBeLessThan(PROMPTLY_MS);
    expect(await underWay).toBe('ECONNRESET');
    answering.abort();
  });

  test('cuts at once with SHUTDOWN_TIMEOUT_MS=0', async () => {
    const service = await start('0');
    const underWay = get(service, '/v1/logins/alice/sessions').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually(() => storage.calls.includes('listByLogin'));
    expect(await stop(service)).toBeLessThan(PROMPTLY_MS);
    expect(await underWay).toBe('ECONNRESET');
  });

  test('does not wait for connections that are kept alive, nor for those that listen to events', async () => {
    const service = await start();
    expect((await get(service, '/health/live')).status).toBe(200);
    const reader = await EventReader.open(`${service.url}/v1/events`, service.administrator);
    const listening = get(service, '/v1/events');
    const streams = service.app.get(EventStreams, { strict: false });
    await eventually(() => streams.open === 2);
    expect(await stop(service)).toBeLessThan(PROMPTLY_MS);
    await reader.untilOver();
    expect([reader.isComplete, (await listening).status]).toEqual([true, 200]);
  });

  test('does not wait for a connection that is kept alive after the last request under way', async () => {
    const service = await start();
    const underWay = get(service, '/v1/logins/alice/sessions');
    await eventually(() => storage.calls.includes('listByLogin'));
    const stopping = stop(service);
    await eventually(() => isRefused(service.url));
    answering.abort();
    expect(await underWay).toMatchObject({ status: 200, connection: 'close' });
    expect(await stopping).toBeLessThan(PROMPTLY_MS);
  });
});

/** Whether nobody listens there any more. */
async function isRefused(url: string): Promise<boolean> {
  const sent = request(url, { agent: false }).end();
  return Promise.race([once(sent, 'response').then(() => false), once(sent, 'close').then(() => true)]).catch(
    () => true,
  );
}

/** Stops a service, and tells how long it took. */
async function stop({ app }: RunningService): Promise<number> {
  const startedAt = performance.now();
  await app.close();
  return performance.now() - startedAt;
}
