import { afterEach, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import type { RedisServerOptions } from '../redis-session-storage.options.js';
import { SAFE_OPTIONS, createClient, databaseOf, redisClientWarnings, safeClusterOptions } from './redis-client.js';

const nodes = [{ host: 'localhost', port: 7_000 }];
const clients: (Redis | Cluster)[] = [];

function client<Client extends Redis | Cluster>(made: Client): Client {
  clients.push(made);
  return made;
}

const create = (server: RedisServerOptions) => client(createClient(server));
const single = (server: RedisServerOptions) => create(server) as Redis;
/** The names of the settings with a warning. */
const warnedSettings = (made: Redis | Cluster) =>
  redisClientWarnings(client(made)).map((warning) => /^\w+/u.exec(warning)![0]);
const cluster = (server: RedisServerOptions) => create(server) as Cluster;

afterEach(() => {
  for (const each of clients.splice(0)) each.disconnect();
});

describe('createClient()', () => {
  it.each<[string, RedisServerOptions]>([
    ['url', { url: 'redis://localhost:6400/3' }],
    ['options', { options: { host: 'localhost', port: 6_400, db: 3 } }],
    ['Sentinel url', { url: 'redis-sentinel://localhost/3?name=mymaster' }],
    ['Sentinel options', { options: { sentinels: nodes, name: 'mymaster', db: 3 } }],
  ])('creates an unconnected client with the safe settings from a %s', (_name, server) => {
    const made = single(server);
    expect(made).toBeInstanceOf(Redis);
    expect(made.options).toMatchObject({ ...SAFE_OPTIONS, db: 3 });
    expect(made.status).toBe('wait');
    expect(redisClientWarnings(made)).toEqual([]);
  });

  it.each<[string, RedisServerOptions]>([
    ['url', { url: 'redis-cluster://localhost:7000' }],
    ['list of nodes', { cluster: { nodes } }],
  ])('creates an unconnected cluster client with the safe settings from a %s', (_name, server) => {
    const made = cluster(server);
    expect(made).toBeInstanceOf(Cluster);
    const { redisOptions, ...settings } = safeClusterOptions();
    expect(made.options).toMatchObject({ ...settings, redisOptions: { ...redisOptions } });
    expect(made.status).toBe('wait');
    expect(redisClientWarnings(made)).toEqual([]);
  });

  it('overrides only the safe settings that the caller sets', () => {
    const { options } = single({ options: { socketTimeout: 9_000, keepAlive: 5 } });
    expect(options).toMatchObject({ ...SAFE_OPTIONS, socketTimeout: 9_000, keepAlive: 5 });
    const given = { maxRedirections: 3, redisOptions: { connectTimeout: 9_000, password: 'pass' } };
    const { redisOptions, ...settings } = cluster({ cluster: { nodes, options: given } }).options;
    expect(settings).toMatchObject({ maxRedirections: 3, scaleReads: 'master', retryDelayOnFailover: 0 });
    expect(redisOptions).toMatchObject({ connectTimeout: 9_000, password: 'pass', socketTimeout: 1_500 });
  });

  it('uses the address, user and TLS of the url, for the Sentinels too', () => {
    const { options } = single({ url: 'rediss://ann:pass@redis.example:6400' });
    expect(options).toMatchObject({ host: 'redis.example', port: 6_400, username: 'ann', password: 'pass', tls: {} });
    const sentinel = single({ url: 'rediss-sentinel://:pass@one,two:2/0?name=mymaster' }).options;
    expect(sentinel).toMatchObject({
      sentinels: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 2 },
      ],
      name: 'mymaster',
      password: 'pass',
      tls: {},
      enableTLSForSentinelMode: true,
      sentinelTLS: {},
    });
    expect(cluster({ url: 'rediss-cluster://:pass@one' }).options.redisOptions).toMatchObject({
      password: 'pass',
      tls: {},
    });
  });

  it('returns the client option unchanged', () => {
    const own = client(new Redis({ lazyConnect: true }));
    expect(createClient({ client: own })).toBe(own);
  });
});

describe('databaseOf()', () => {
  it.each<[number, RedisServerOptions]>([
    [0, { url: 'redis://localhost' }],
    [3, { url: 'redis://localhost/3' }],
    [3, { url: 'redis-sentinel://localhost/3?name=mymaster' }],
    [0, { options: {} }],
    [3, { options: { db: 3 } }],
    [0, { cluster: { nodes } }],
  ])('returns %d for %j', (database, server) => {
    expect(databaseOf(server)).toBe(database);
    expect(databaseOf({ client: create(server) })).toBe(database);
  });
});

describe('redisClientWarnings()', () => {
  it('warns about each unsafe default of ioredis, with the value to set', () => {
    const defaults = new Redis({ lazyConnect: true });
    expect(warnedSettings(defaults)).toEqual(['socketTimeout', 'maxRetriesPerRequest', 'enableOfflineQueue']);
    for (const warning of redisClientWarnings(defaults)) expect(warning).toMatch(/ Set it to \S+\.$/u);
    const ofCluster = ['socketTimeout', 'maxRetriesPerRequest', 'retryDelayOnFailover'];
    expect(warnedSettings(new Cluster(nodes, { lazyConnect: true }))).toEqual(ofCluster);
  });

  it('warns about reads from replicas, undetected failovers and a client that does not reconnect', () => {
    expect(warnedSettings(new Cluster(nodes, { ...safeClusterOptions(), scaleReads: 'all' }))).toEqual(['scaleReads']);
    const sentinel = { ...SAFE_OPTIONS, sentinels: nodes, name: 'mymaster', failoverDetector: false };
    expect(warnedSettings(new Redis(sentinel))).toEqual(['failoverDetector']);
    expect(warnedSettings(new Redis({ ...SAFE_OPTIONS, retryStrategy: null }))).toEqual(['retryStrategy']);
  });

  it('returns no warning for a client with the safe settings', () => {
    expect(warnedSettings(new Redis(SAFE_OPTIONS))).toEqual([]);
    expect(warnedSettings(new Cluster(nodes, safeClusterOptions()))).toEqual([]);
  });
});
