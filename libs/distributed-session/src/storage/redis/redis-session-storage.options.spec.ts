import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { OptionsError } from '../../errors/options.error.js';
import { type RedisSessionStorageOptions, resolveRedisOptions } from './redis-session-storage.options.js';

const url = 'redis://localhost';

/** The errors of the options. */
function errorsOf(options: unknown): readonly string[] {
  try {
    resolveRedisOptions(options as RedisSessionStorageOptions);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('resolveRedisOptions()', () => {
  it('fills in the defaults, freezes the result and leaves its input unchanged', () => {
    const given = { url, tagKey: undefined };
    const resolved = resolveRedisOptions(given);
    expect(resolved).toEqual({
      url,
      keyPrefix: 'ds',
      deadlineMs: 1_000,
      connectDeadlineMs: 10_000,
      heartbeatIntervalMs: 1_000,
      onEvictionPolicy: 'refuse',
    });
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('accepts each of url, options, cluster and client', () => {
    const client = new Redis({ lazyConnect: true });
    for (const server of [{ url }, { options: {} }, { cluster: { nodes: [{ port: 7_000 }] } }, { client }]) {
      expect(errorsOf(server)).toEqual([]);
    }
    client.disconnect();
  });

  it.each([
    ['an empty object', {}],
    ['a url', url],
    ['the options of a client', { host: 'localhost' }],
    ['a client of another library', { isOpen: true, isReady: true, connect() {}, sendCommand() {}, duplicate() {} }],
  ])('rejects %s as the client, and names the versions of ioredis', (_what, client) => {
    expect(errorsOf({ client })).toEqual([
      expect.stringMatching(/^client must be a client of ioredis 5\.4\.1 or later/),
    ]);
  });

  it.each([
    ['none is set', {}],
    ['none is set', undefined],
    ['none is set', { url: undefined }],
    ['none is set', { url: null, client: null }],
    ['url and options are set', { url, options: {} }],
    ['cluster and client are set', { cluster: { nodes: [1] }, client: {} }],
  ])('requires exactly one of url, options, cluster and client: %s', (which, options) => {
    expect(errorsOf(options)).toEqual([expect.stringMatching(new RegExp(`^exactly one of .*: ${which}$`, 'u'))]);
  });

  it.each([
    ['keyPrefix', ['', ' ', 'a b', '{a}', 'a'.repeat(65), 'ä', 'a\n', 7]],
    ['tagKey', ['', 'fifteen letters', Buffer.alloc(15), 7, Array.from({ length: 16 }), []]],
    [
      'tagKey',
      [
        [Buffer.alloc(16, 'a'), 'a'.repeat(16)],
        ['none', 'none'],
        ['sixteen letters!', 'short'],
      ],
    ],
    ['tagKey', [Array.from({ length: 11 }, (_, n) => Buffer.alloc(16, n))]],
    ['deadlineMs', [0, 9, 600_001, 1.5, NaN, Infinity, '1000', -1]],
    ['connectDeadlineMs', [9, 600_001]],
    ['heartbeatIntervalMs', [9, 600_001]],
    ['onEvictionPolicy', ['', 'ignore', true]],
  ])('rejects an invalid %s by name', (name, values) => {
    for (const value of values) expect(errorsOf({ url, [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it.each([
    ['keyPrefix', ['a', 'my-app_1.x:y', 'a'.repeat(64)]],
    ['tagKey', ['sixteen letters!', Buffer.alloc(16), new Uint8Array(32), 'none', ['none', new Uint8Array(16)]]],
    ['tagKey', [Array.from({ length: 10 }, (_, n) => Buffer.alloc(16, n))]],
    ['deadlineMs', [10, 600_000]],
    ['onEvictionPolicy', ['refuse', 'warn']],
  ])('accepts every valid %s', (name, values) => {
    for (const value of values) expect(errorsOf({ url, [name]: value })).toEqual([]);
  });

  it('requires at least one cluster node', () => {
    for (const cluster of [{}, { nodes: [] }, { nodes: 'localhost' }]) {
      expect(errorsOf({ cluster })).toEqual([expect.stringContaining('cluster.nodes')]);
    }
  });

  it('suggests the option that a misspelt name means, or lists all options', () => {
    expect(errorsOf({ url, tagkey: 'x' })).toEqual(['Unknown option "tagkey". Did you mean "tagKey"?']);
    expect(errorsOf({ url, unrelated: 1 })).toEqual([
      expect.stringMatching(/^Unknown option "unrelated"\. Known options: .*\btagKey\b/u),
    ]);
  });

  it('reports every error at once, without any value', () => {
    const options = {
      url: 'redis://a:CANARY@b:0',
      keyPrefix: 'CAN ARY',
      tagKey: 'CANARY',
      deadlineMs: 1,
      hots: 'CANARY',
    };
    expect(errorsOf(options)).toHaveLength(5);
    expect(() => resolveRedisOptions(options as RedisSessionStorageOptions)).not.toThrow('CAN');
    expect(() => resolveRedisOptions(options as RedisSessionStorageOptions)).toThrow(
      /hots[^]*keyPrefix[^]*tagKey[^]*deadlineMs[^]*url/u,
    );
  });
});
