import { describe, expect, test } from '@jest/globals';
import { readEnvironment } from './read-environment.js';

describe('readEnvironment()', () => {
  test.each([
    ['redis', undefined],
    ['redis', 'postgres://localhost'],
    ['redis', 'localhost:6379'],
    ['redis', 'http://localhost'],
    ['postgres', undefined],
    ['postgres', 'redis://localhost'],
    ['postgres', 'mysql://localhost'],
    ['memory', 'redis://localhost'],
    ['memory', 'anything'],
  ])('rejects SESSION_STORAGE=%s with the URL %s', (SESSION_STORAGE, url) => {
    const variables = { SESSION_STORAGE, ...(url !== undefined && { SESSION_STORAGE_URL: url }) };
    expect(() => readEnvironment(variables)).toThrow(
      expect.objectContaining({ errors: [expect.stringMatching(/^SESSION_STORAGE_URL must match SESSION_STORAGE: /)] }),
    );
  });

  test.each([
    ['postgres', 'redis://localhost'],
    ['postgres', 'localhost'],
    ['redis', 'postgres://localhost'],
    ['memory', 'postgres://localhost'],
  ])('rejects a feed for SESSION_STORAGE=%s with the URL %s', (SESSION_STORAGE, SESSION_STORAGE_FEED_URL) => {
    const url = { memory: undefined, redis: 'redis://localhost', postgres: 'postgres://localhost' }[SESSION_STORAGE];
    const variables = { SESSION_STORAGE, SESSION_STORAGE_FEED_URL, ...(url && { SESSION_STORAGE_URL: url }) };
    const errors = [expect.stringMatching(/^SESSION_STORAGE_FEED_URL must look like postgres:/)];
    expect(() => readEnvironment(variables)).toThrow(expect.objectContaining({ errors }));
  });

  test('accepts a feed for PostgreSQL', () => {
    const SESSION_STORAGE_FEED_URL = 'postgres://direct';
    const variables = {
      SESSION_STORAGE: 'postgres',
      SESSION_STORAGE_URL: 'postgres://pooler',
      SESSION_STORAGE_FEED_URL,
    };
    expect(readEnvironment(variables)).toMatchObject({ SESSION_STORAGE_FEED_URL });
  });

  test.each([
    ['redis', 'redis://:password@localhost:6379/1'],
    ['redis', 'rediss://user:password@redis.example'],
    ['redis', 'redis-sentinel://one:26379,two:26379/0?name=mymaster'],
    ['redis', 'rediss-cluster://user:password@one:7000,two:7000'],
    ['postgres', 'postgres://user:password@localhost/sessions'],
    ['postgres', 'postgresql://localhost'],
  ])('accepts SESSION_STORAGE=%s with the URL %s', (SESSION_STORAGE, SESSION_STORAGE_URL) => {
    expect(readEnvironment({ SESSION_STORAGE, SESSION_STORAGE_URL })).toMatchObject({ SESSION_STORAGE_URL });
  });
});
