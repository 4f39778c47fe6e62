import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DistributedSessionModule, InMemorySessionStorage, StorageUnavailableError } from 'nestjs-distributed-session';
import type { StorageHealth } from 'nestjs-distributed-session/storage';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { ADAPTERS } from './support/adapters.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startApp } from './support/running-app.js';

const TIMEOUT_MS = 25;
const MAX_FEED_LAG_MS = 500;

/** A storage whose health a test sets. */
class StubbedStorage extends InMemorySessionStorage {
  lagMs = 0;
  answer: (() => Promise<StorageHealth>) | undefined;

  override ping(): Promise<StorageHealth> {
    return this.answer ? this.answer() : super.ping();
  }

  override feedLagMs(): number {
    return this.lagMs;
  }
}

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: DistributedSessionHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check() {
    const limits = { timeoutMs: TIMEOUT_MS, maxFeedLagMs: MAX_FEED_LAG_MS };
    return this.health.check([() => this.sessions.pingCheck('sessions', limits)]);
  }

  @Get('health/defaults')
  @HealthCheck()
  defaults() {
    return this.health.check([() => this.sessions.pingCheck('sessions')]);
  }
}

describe.each(ADAPTERS)('DistributedSessionHealthIndicator on %s', (_name, makeAdapter) => {
  let storage: StubbedStorage;
  let app: RunningApp;

  beforeEach(async () => {
    storage = new StubbedStorage({ maxSessions: 1 });
    app = await startApp(
      {
        imports: [TerminusModule, DistributedSessionModule.forRoot({ serviceId: 'shop', storage })],
        providers: [DistributedSessionHealthIndicator],
        controllers: [HealthController],
      },
      makeAdapter,
    );
  });

  afterEach(closeApps);

  /** Returns the response's status, the overall status and the details about the sessions. */
  async function health(path = '/health') {
    const { status, json, text } = await send(app.url + path);
    const { status: overall, details } = json as { status: string; details: { sessions: Record<string, unknown> } };
    return { status, overall, sessions: details.sessions, text };
  }

  test('reports up for a storage that responds', async () => {
    const { status, overall, sessions } = await health();
    expect([status, overall, sessions['status']]).toEqual([200, 'ok', 'up']);
    expect(sessions).not.toHaveProperty('notes');
  });

  test('reports degraded with notes when no session can be created', async () => {
    await app.sessions.createSession('alice');
    const { status, overall, sessions } = await health();
    expect([status, overall, sessions['status']]).toEqual([200, 'degraded', 'degraded']);
    expect(sessions['notes']).toEqual(['sessions cannot be created or changed', 'holds its maximum of 1 sessions']);
    await app.sessions.deleteAllSessions('alice');
    expect((await health()).overall).toBe('ok');
  });

  test('reports degraded when the change feed lags behind the limit, but not before', async () => {
    storage.lagMs = MAX_FEED_LAG_MS;
    expect((await health()).overall).toBe('ok');
    for (const lagMs of [MAX_FEED_LAG_MS + 1, Infinity]) {
      storage.lagMs = lagMs;
      const { status, overall, sessions } = await health();
      expect([status, overall]).toEqual([200, 'degraded']);
      expect(sessions['notes']).toEqual(['the change feed lags behind; cached data may be stale']);
    }
    storage.lagMs = 10_000;
    expect((await health('/health/defaults')).overall).toBe('ok');
    storage.lagMs = 10_001;
    expect((await health('/health/defaults')).overall).toBe('degraded');
  });

  test('rejects invalid options, all at once', async () => {
    const indicator = app.app.get(DistributedSessionHealthIndicator);
    const options = { timeoutMs: '500', maxFeedLagMs: -1, timeout: 500 } as object;
    await expect(indicator.pingCheck('sessions', options)).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      errors: [
        'Unknown option "timeout". Did you mean "timeoutMs"?',
        expect.stringMatching(/^timeoutMs must be a whole number of milliseconds from 1 to \d+, .*, not a string$/),
        expect.stringMatching(/^maxFeedLagMs must be a whole number of milliseconds from 0 to/),
      ],
    });
  });

  test('reports down when the storage is unavailable, and up when it recovers', async () => {
    storage.answer = () => Promise.reject(new StorageUnavailableError());
    const { status, overall, sessions, text } = await health();
    expect([status, overall, sessions['status']]).toEqual([503, 'error', 'down']);
    expect(text).not.toContain('at ');
    storage.answer = undefined;
    expect((await health()).overall).toBe('ok');
  });

  test('reports down when the storage does not respond in time', async () => {
    storage.answer = () => new Promise(() => undefined);
    storage.lagMs = Infinity;
    const { status, overall, sessions } = await health();
    expect([status, overall, sessions['status']]).toEqual([503, 'error', 'down']);
  });

  test('reports down when the storage is closed', async () => {
    await storage.close();
    expect((await health()).sessions['status']).toBe('down');
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('connect ECONNREFUSED redis://admin:canary@10.0.0.1'))],
    [
      'throws',
      () => {
        throw new Error('redis://admin:canary@10.0.0.1');
      },
    ],
  ])('does not expose the error of a driver whose ping() %s', async (_what, answer) => {
    storage.answer = answer;
    const { status, text } = await health();
    expect(status).toBe(503);
    expect(text).not.toContain('canary');
  });
});
