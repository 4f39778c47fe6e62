import { describe, expect, test } from '@jest/globals';
import { DistributedSessionManager, InMemorySessionStorage, type SessionStorage } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { readEnvironment } from './read-environment.js';
import { createSessionStorage, sessionOptions } from './session-options.js';

describe('sessionOptions()', () => {
  test('sets the service id and leaves unset options to the library', () => {
    const { storage, ...options } = sessionOptions(readEnvironment({}));
    expect(storage).toBeInstanceOf(InMemorySessionStorage);
    expect(options).toEqual({
      serviceId: 'session-service',
      timeoutPreset: 'aal2',
      maxSessionsPerLogin: 100,
      onLimit: 'end-oldest',
      rotationGraceMs: 10_000,
      historyRetentionMs: 86_400_000,
    });
  });

  test('passes every variable to the library', () => {
    const { storage: _storage, ...options } = sessionOptions(
      readEnvironment({
        SERVICE_ID: 'sessions',
        SESSION_TIMEOUT_PRESET: 'aal3',
        SESSION_IDLE_TIMEOUT_MS: 'off',
        SESSION_ABSOLUTE_TIMEOUT_MS: '60000',
        SESSION_MAX_IDLE_TIMEOUT_MS: 'off',
        SESSION_MAX_ABSOLUTE_TIMEOUT_MS: '120000',
        SESSION_MAX_PER_LOGIN: '5',
        SESSION_MAX_PER_DEVICE: '2',
        SESSION_ON_LIMIT: 'reject',
        SESSION_ROTATION_GRACE_MS: '0',
        SESSION_HISTORY_RETENTION_MS: '0',
        SECRET_PEPPER: '0123456789abcdef',
        TOKEN_KEY: `${'k'.repeat(32)} none\n${'l'.repeat(32)}\n`,
      }),
    );
    expect(options).toEqual({
      serviceId: 'sessions',
      timeoutPreset: 'aal3',
      idleTimeoutMs: null,
      absoluteTimeoutMs: 60_000,
      maxIdleTimeoutMs: null,
      maxAbsoluteTimeoutMs: 120_000,
      maxSessionsPerLogin: 5,
      maxSessionsPerDevice: 2,
      onLimit: 'reject',
      rotationGraceMs: 0,
      historyRetentionMs: 0,
      secretPepper: ['0123456789abcdef'],
      tokenKey: ['k'.repeat(32), 'none', 'l'.repeat(32)],
    });
  });

  test('creates sessions with the configured timeouts, which override those of the preset', async () => {
    expect(await timeoutsOf({})).toEqual([3_600_000, 86_400_000]);
    expect(await timeoutsOf({ SESSION_IDLE_TIMEOUT_MS: 'off' })).toEqual([undefined, 86_400_000]);
    expect(await timeoutsOf({ SESSION_IDLE_TIMEOUT_MS: '5000', SESSION_ABSOLUTE_TIMEOUT_MS: 'off' })).toEqual([
      5_000,
      undefined,
    ]);
  });
});

describe('createSessionStorage()', () => {
  test('creates a new in-memory storage each time', () => {
    const environment = readEnvironment({});
    expect(createSessionStorage(environment)).not.toBe(createSessionStorage(environment));
  });

  test('creates a Redis storage with the configured prefix and tag key', () => {
    const variables = { SESSION_STORAGE: 'redis', SESSION_STORAGE_URL: 'redis://localhost' };
    const [storage, same, other, keyed, changing] = [
      {},
      {},
      { SESSION_STORAGE_KEY_PREFIX: 'other' },
      { SESSION_STORAGE_TAG_KEY: 'a-key-that-is-hard-to-guess' },
      { SESSION_STORAGE_TAG_KEY: 'a-key-that-is-hard-to-guess\nnone\n' },
    ].map((given) => createSessionStorage(readEnvironment({ ...variables, ...given })));
    expect(storage).toBeInstanceOf(RedisSessionStorage);
    expect(tagOf(same)).toBe(tagOf(storage));
    expect(new Set([storage, other, keyed].map(tagOf)).size).toBe(3);
    expect(tagOf(changing)).toBe(tagOf(keyed));
  });

  test('reports an invalid Redis URL without repeating it', () => {
    const SESSION_STORAGE_URL = 'redis://user:canary@localhost:port';
    const environment = readEnvironment({ SESSION_STORAGE: 'redis', SESSION_STORAGE_URL });
    expect(() => createSessionStorage(environment)).toThrow(/url contains an invalid host or port/);
    expect(() => createSessionStorage(environment)).not.toThrow(/canary/);
  });

  test('creates a PostgreSQL storage, and reports an invalid URL without repeating it', () => {
    expect(onPostgres('postgres://localhost/sessions')).toBeInstanceOf(PostgresSessionStorage);
    expect(() => onPostgres('postgres://user:canary@localhost:port')).toThrow(/url must look like postgres:/);
    expect(() => onPostgres('postgres://user:canary@localhost:port')).not.toThrow(/canary/);
  });

  test("passes the feed's settings to a PostgreSQL storage", () => {
    const [url, feed] = ['postgres://localhost/sessions', { SESSION_STORAGE_FEED_URL: 'postgres://direct/sessions' }];
    expect(onPostgres(url, { ...feed, SESSION_STORAGE_POOLING: 'transaction' })).toBeInstanceOf(PostgresSessionStorage);
    expect(() => onPostgres(url, { ...feed, SESSION_STORAGE_FEED_POLL_MS: '100' })).toThrow(
      /feedPollIntervalMs cannot be combined with feedUrl/,
    );
    expect(() => onPostgres(url, { SESSION_STORAGE_FEED_URL: 'postgres://user:canary@localhost:port' })).toThrow(
      /feedUrl must look like postgres:(?!.*canary)/,
    );
  });
});

function onPostgres(SESSION_STORAGE_URL: string, given: Readonly<Record<string, string>> = {}): SessionStorage {
  return createSessionStorage(readEnvironment({ SESSION_STORAGE: 'postgres', SESSION_STORAGE_URL, ...given }));
}

/** Returns the tag of the user in a session id. It depends on the tag key, which defaults to the prefix. */
function tagOf(storage: SessionStorage | undefined): string | undefined {
  return storage?.nextSessionId('alice').slice(0, 13);
}

/** Returns the timeouts of a session created in this environment. */
async function timeoutsOf(variables: Record<string, string>): Promise<readonly (number | undefined)[]> {
  const options = { ...sessionOptions(readEnvironment(variables)), storage: new InMemorySessionStorage() };
  const sessions = new DistributedSessionManager(options);
  await sessions.connect();
  const { createdAt, idleTimeoutMs, absoluteExpiresAt } = await sessions.createSession('alice');
  await sessions.close();
  return [idleTimeoutMs, absoluteExpiresAt && absoluteExpiresAt - createdAt];
}
