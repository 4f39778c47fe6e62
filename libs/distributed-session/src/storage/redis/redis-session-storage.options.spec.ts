import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { OptionsError } from '../../errors/options.error.js';
import { type RedisSessionStorageOptions, resolveRedisOptions } from './redis-session-storage.options.js';

const url = 'redis://localhost';

/** The faults that options have, one sentence each. */
function faultsOf(options: unknown): readonly string[] {
  try {
    resolveRedisOptions(options as RedisSessionStorageOptions);
    return [];
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
}

describe('resolveRedisOptions()', () => {
  it('gives the defaults, frozen, and leaves what it was given as it was', () => {
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

  it('takes each of the four ways to say where Redis is', () => {
    const client = new Redis({ lazyConnect: true });
    for (const server of [{ url }, { options: {} }, { cluster: { nodes: [{ port: 7_000 }] } }, { client }]) {
      expect(faultsOf(server)).toEqual([]);
    }
    client.disconnect();
  });

  it.each([
    ['none is given', {}],
    ['none is given', undefined],
    ['none is given', { url: undefined }],
    ['none is given', { url: null, client: null }],
    ['url and options are given', { url, options: {} }],
    ['cluster and client are given', { cluster: { nodes: [1] }, client: {} }],
  ])('wants exactly one of them: %s', (which, options) => {
    expect(faultsOf(options)).toEqual([expect.stringMatching(new RegExp(`^exactly one of .*; ${which}$`, 'u'))]);
  });

  it.each([
    ['keyPrefix', ['', ' ', 'a b', '{a}', 'a'.repeat(65), 'ä', 'a\n', 7]],
    ['tagKey', ['', 'fifteen letters', Buffer.alloc(15), 7, Array.from({ length: 16 })]],
    ['deadlineMs', [0, 9, 600_001, 1.5, NaN, Infinity, '1000', -1]],
    ['connectDeadlineMs', [9, 600_001]],
    ['heartbeatIntervalMs', [9, 600_001]],
    ['onEvictionPolicy', ['', 'ignore', true]],
  ])('names %s when it cannot be used', (name, values) => {
    for (const value of values) expect(faultsOf({ url, [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it.each([
    ['keyPrefix', ['a', 'my-app_1.x:y', 'a'.repeat(64)]],
    ['tagKey', ['sixteen letters!', Buffer.alloc(16), new Uint8Array(32)]],
    ['deadlineMs', [10, 600_000]],
    ['onEvictionPolicy', ['refuse', 'warn']],
  ])('takes every %s that can be', (name, values) => {
    for (const value of values) expect(faultsOf({ url, [name]: value })).toEqual([]);
  });

  it('wants a node of a cluster at least', () => {
    for (const cluster of [{}, { nodes: [] }, { nodes: 'localhost' }]) {
      expect(faultsOf({ cluster })).toEqual([expect.stringContaining('cluster.nodes')]);
    }
  });

  it('names a misspelt option and those that there are', () => {
    expect(faultsOf({ url, tagkey: 'x' })).toEqual([expect.stringMatching(/^tagkey is no option\. .*\btagKey\b/u)]);
  });

  it('names every fault at once, and repeats no value', () => {
    const options = {
      url: 'redis://a:CANARY@b:0',
      keyPrefix: 'CAN ARY',
      tagKey: 'CANARY',
      deadlineMs: 1,
      hots: 'CANARY',
    };
    expect(faultsOf(options)).toHaveLength(5);
    expect(() => resolveRedisOptions(options as RedisSessionStorageOptions)).not.toThrow('CAN');
    expect(() => resolveRedisOptions(options as RedisSessionStorageOptions)).toThrow(
      /hots[^]*url[^]*keyPrefix[^]*tagKey[^]*deadlineMs/u,
    );
  });
});
