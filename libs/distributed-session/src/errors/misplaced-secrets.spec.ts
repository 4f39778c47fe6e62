import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { OnSessionEvent } from '../events/on-session-event.decorator.js';
import { RequireServicePermission } from '../guards/decorators.js';
import { shownName } from '../model/shown-name.js';
import { unknownName } from '../options/unknown-name.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { PostgresSessionStorage } from '../storage/postgres/postgres-session-storage.js';
import { RedisSessionStorage } from '../storage/redis/redis-session-storage.js';
import { toHttpException } from './to-http-exception.js';
import type { DistributedSessionError } from './distributed-session.error.js';

const storage = new InMemorySessionStorage();
const sessions = new DistributedSessionManager({ serviceId: 'svc', storage });
const as = (permissions: readonly string[]) => sessions.as({ serviceId: 'cart', permissions });
const ID = storage.nextSessionId();

/** A place for a name or a value, in which a caller puts a secret by mistake. */
type Misuse = (secret: string) => unknown;

const MISUSES: Readonly<Record<string, Misuse>> = {
  'the name of a manager option': (s) => new DistributedSessionManager({ serviceId: 'a', storage, [s]: s }),
  'the service id option': (s) => new DistributedSessionManager({ serviceId: `${s}!`, storage }),
  'a limit of attributes': (s) =>
    new DistributedSessionManager({ serviceId: 'a', storage, attributeLimits: { [s]: 1 } }),
  'the name of a Redis option': (s) => new RedisSessionStorage({ url: 'redis://localhost', [s]: s }),
  'the Redis URL': (s) => new RedisSessionStorage({ url: `redis://a:${s}@localhost:x/` }),
  'the key prefix': (s) => new RedisSessionStorage({ url: 'redis://localhost', keyPrefix: `${s}!` }),
  'the name of a PostgreSQL option': (s) => new PostgresSessionStorage({ options: { [s]: s } }),
  'the PostgreSQL URL': (s) => new PostgresSessionStorage({ url: `postgres//a:${s}@localhost` }),
  'an option of createSession()': (s) => sessions.createSession('alice', undefined, { [s]: s }),
  'a client field': (s) => sessions.createSession('alice', undefined, { client: { [s]: s } }),
  'the device': (s) => sessions.createSession('alice', undefined, { device: s.repeat(9) }),
  'a session id': (s) => sessions.getSession(s),
  'an option of getSession()': (s) => sessions.getSession(ID, { [s]: true }),
  'an attribute key': (s) => as(['session.write:a']).setAttribute(ID, s, 1),
  'an attribute key of a bad value': (s) => sessions.setAttribute(ID, s, Symbol(s) as never),
  'a nested attribute key': (s) => sessions.setAttribute(ID, 'a', { b: { [s]: 1n } }),
  'an attribute to set and to remove': (s) => sessions.setAttributes(ID, { set: { [s]: 1 }, remove: [s] }),
  'a patch field': (s) => sessions.setAttributes(ID, { [s]: s }),
  'a reason': (s) => sessions.deleteSession(ID, { reason: s as never }),
  'a cursor': (s) => sessions.listLogins({ cursor: s }),
  'a service id': (s) => sessions.rotateServiceSecret(s),
  'a permission': (s) => as([`${s} `]),
  'a permission to grant': (s) =>
    as(['service.manage']).registerService({ serviceId: 'b', serviceName: 'B', permissions: [s] }),
  'a narrowed permission': (s) => as([`session.list:${s}`]),
  'an attribute pattern': (s) => as([`session.read:*.${s}`]),
  'a registration field': (s) =>
    sessions.registerService({ serviceId: 'b', serviceName: 'B', permissions: [], [s]: s }),
  'an option of rotateServiceSecret()': (s) => sessions.rotateServiceSecret('b', { [s]: s }),
  'an event type': (s) => OnSessionEvent(s as never),
  'a required permission': (s) => RequireServicePermission(`${s} `),
};

describe('A secret in the wrong place', () => {
  let secrets: readonly string[];

  beforeAll(async () => {
    const { token, credential } = await sessions.createSession('bob');
    const { secret } = await sessions.registerService({ serviceId: 'order', serviceName: 'Order', permissions: [] });
    secrets = [token, credential, secret, '9f8e7d6c5b4a39281706f5e4d3c2b1a0'];
  });

  it.each(Object.entries(MISUSES))('as %s is not repeated by the error', async (_place, misuse) => {
    for (const secret of secrets) {
      const error = await Promise.resolve()
        .then(() => misuse(secret))
        .then(
          () => undefined,
          (thrown: unknown) => thrown as DistributedSessionError,
        );
      expect(error?.code).toMatch(/^ERR_/);
      const shown = [
        inspect(error, { depth: 9, showHidden: true }),
        JSON.stringify(toHttpException(error!).getResponse()),
      ];
      expect(shown.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});

describe('shownName()', () => {
  it.each([
    'attributes.cart.items[2]',
    'session.write:order.total',
    '__Host-session',
    'paymentConfirmationStatus',
    'k1000',
  ])('returns the name %s', (name) => expect(shownName(name)).toBe(name));

  it('replaces each part of a path that may be a secret', () => {
    expect(shownName('attributes.Zk3_xT9-qLm2WvB7aYc1Df.items')).toBe('attributes.….items');
    expect(shownName('a"b')).toBe('…');
    expect(shownName('x'.repeat(41))).toBe('…');
  });
});

describe('unknownName()', () => {
  it('repeats a misspelt known name and a short word, and nothing else', () => {
    expect(unknownName('option', 'devise', ['device'])).toBe('Unknown option "devise". Did you mean "device"?');
    expect(unknownName('option', 'colour', ['device'])).toBe('Unknown option "colour". Known options: device.');
    expect(unknownName('option', 'correct-horse-battery', ['device'])).toBe(
      'Unknown option, not shown here. Known options: device.',
    );
  });
});
