import { once } from 'node:events';
import { Agent, type IncomingMessage, type Server, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventStreams } from '../../src/events/event-streams.js';
import { EventReader, closeReaders } from '../support/event-reader.js';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** Longer than any test takes: a shutdown that waits for this long fails its test. */
const NEVER_MS = 5 * 60_000;

describe.each(SERVERS)('On %s, the session service on shutdown', (HTTP_ADAPTER) => {
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

  const start = async (shutdownTimeoutMs = NEVER_MS) => {
    const variables = { HTTP_ADAPTER, SHUTDOWN_TIMEOUT_MS: String(shutdownTimeoutMs) };
    const service = await startService({ storage, variables });
    // Idle connections stay open unless the shutdown closes them.
    (service.app.getHttpServer() as Server).keepAliveTimeout = NEVER_MS;
    return service;
  };

  const get = async ({ url, administrator }: RunningService, path: string) => {
    const sent = request(url + path, { headers: administrator, agent: keepAlive }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, connection: response.headers.connection, text };
  };

  test('finishes the requests in flight before it closes the storage, and accepts no new ones', async () => {
    const service = await start();
    const { sessionId } = await service.sessions.createSession('alice');
    const inFlight = get(service, '/v1/logins/alice/sessions');
    await eventually(() => storage.calls.includes('listByLogin'));
    let isStopped = false;
    const stopping = service.app.close().then(() => (isStopped = true));
    await eventually(() => isRefused(service.url));
    expect([isStopped, storage.calls.includes('close')]).toEqual([false, false]);
    answering.abort();
    const { status, text } = await inFlight;
    expect([status, text]).toEqual([200, expect.stringContaining(sessionId)]);
    await stopping;
    expect(storage.calls.at(-1)).toBe('close');
  });

  test('closes connections with requests in flight after SHUTDOWN_TIMEOUT_MS, and not before', async () => {
    const service = await start(200);
    const inFlight = get(service, '/v1/logins/alice/sessions').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually(() => storage.calls.includes('listByLogin'));
    const startedAt = performance.now();
    await service.app.close();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(190);
    expect(await inFlight).toBe('ECONNRESET');
  });

  test('closes connections with requests in flight immediately with SHUTDOWN_TIMEOUT_MS=0', async () => {
    const service = await start(0);
    const inFlight = get(service, '/v1/logins/alice/sessions').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually(() => storage.calls.includes('listByLogin'));
    await service.app.close();
    expect(await inFlight).toBe('ECONNRESET');
  });

  test('waits neither for idle connections nor for event streams', async () => {
    const service = await start();
    expect((await get(service, '/health/live')).status).toBe(200);
    const reader = await EventReader.open(`${service.url}/v1/events`, service.administrator);
    const listening = get(service, '/v1/events');
    const streams = service.app.get(EventStreams, { strict: false });
    await eventually(() => streams.open === 2);
    await service.app.close();
    await reader.untilOver();
    expect([reader.isComplete, (await listening).status]).toEqual([true, 200]);
  });

  test('does not wait for a connection that becomes idle after the last request in flight', async () => {
    const service = await start();
    const inFlight = get(service, '/v1/logins/alice/sessions');
    await eventually(() => storage.calls.includes('listByLogin'));
    const stopping = service.app.close();
    await eventually(() => isRefused(service.url));
    answering.abort();
    expect(await inFlight).toMatchObject({ status: 200, connection: 'close' });
    await stopping;
  });
});

/** Whether the server no longer accepts connections. */
async function isRefused(url: string): Promise<boolean> {
  const sent = request(url, { agent: false }).end();
  return Promise.race([once(sent, 'response').then(() => false), once(sent, 'close').then(() => true)]).catch(
    () => true,
  );
}
