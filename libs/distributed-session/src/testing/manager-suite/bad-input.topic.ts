import assert from 'node:assert/strict';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

type Call = (sessions: DistributedSessionManager) => Promise<unknown>;

const SESSION_INPUT: [what: string, field: string, call: Call][] = [
  ['an empty login id', 'loginId', (s) => s.createSession('')],
  ['a login id of 257 characters', 'loginId', (s) => s.createSession('x'.repeat(257))],
  ['a login id that is not a string', 'loginId', (s) => s.createSession(7 as never)],
  ['a login id with a lone surrogate', 'loginId', (s) => s.createSession('a\ud800')],
  ['an empty login id in getSessionsByLoginId()', 'loginId', (s) => s.getSessionsByLoginId('')],
  ['an empty login id in deleteAllSessions()', 'loginId', (s) => s.deleteAllSessions('')],
  ['an empty token', 'token', (s) => s.createSession('alice', '')],
  ['a token of 4,001 characters', 'token', (s) => s.createSession('alice', 'x'.repeat(4_001))],
  ['a token with a space', 'token', (s) => s.createSession('alice', 'two words of more than 22 characters')],
  [
    'an unknown option of createSession()',
    'options.devise',
    (s) => s.createSession('alice', undefined, { devise: 'web' } as never),
  ],
  ['an empty device', 'device', (s) => s.createSession('alice', undefined, { device: '' })],
  [
    'a user agent that is not a string',
    'client.userAgent',
    (s) => s.createSession('alice', undefined, { client: { userAgent: ['x'] as never } }),
  ],
  ['a client that is an array', 'client', (s) => s.createSession('alice', undefined, { client: [] as never })],
  ['a client that is a Date', 'client', (s) => s.createSession('alice', undefined, { client: new Date() as never })],
  [
    'an unknown field of the client',
    'client.browser',
    (s) => s.createSession('alice', undefined, { client: { browser: 'x' } as never }),
  ],
  ['a negative timeout', 'idleTimeoutMs', (s) => s.createSession('alice', undefined, { idleTimeoutMs: -1 })],
  ['a zero timeout', 'idleTimeoutMs', (s) => s.createSession('alice', undefined, { idleTimeoutMs: 0 })],
  ['a NaN timeout', 'absoluteTimeoutMs', (s) => s.createSession('alice', undefined, { absoluteTimeoutMs: NaN })],
  [
    'an infinite timeout',
    'absoluteTimeoutMs',
    (s) => s.createSession('alice', undefined, { absoluteTimeoutMs: Infinity }),
  ],
  [
    'a timeout that is a string',
    'idleTimeoutMs',
    (s) => s.createSession('alice', undefined, { idleTimeoutMs: '60' as never }),
  ],
  [
    'a session without a timeout',
    'idleTimeoutMs',
    (s) => s.createSession('alice', undefined, { idleTimeoutMs: null, absoluteTimeoutMs: null }),
  ],
  ['a malformed session id', 'sessionId', (s) => s.getSession('../etc/passwd')],
  ['an upper-case session id', 'sessionId', (s) => s.refreshSession('A3BB189E-8BF9-4888-9912-ACE4E6543002')],
  ['a session id that is not a string', 'sessionId', (s) => s.deleteSession({} as never)],
  ['a malformed session id in setAttribute()', 'sessionId', (s) => s.setAttribute('x', 'key', 1)],
  ['an undefined session in updateSession()', 'sessionId', (s) => s.updateSession(undefined as never)],
  ['a malformed credential', 'credential', (s) => s.verifySession('x.y')],
  ['an empty credential', 'credential', (s) => s.verifySession('')],
  ['a credential that is not a string', 'credential', (s) => s.verifySession(undefined as never)],
  ['an empty attribute key', 'attribute key', (s) => s.getAttribute('a3bb189e-8bf9-4888-9912-ace4e6543002', '')],
  [
    'a reason that is reserved for the storage',
    'reason',
    (s) => s.deleteSession('a3bb189e-8bf9-4888-9912-ace4e6543002', { reason: 'limit' as never }),
  ],
  [
    'an actor that is not a string',
    'actor',
    (s) => s.kickOut('a3bb189e-8bf9-4888-9912-ace4e6543002', { actor: 5 as never }),
  ],
  [
    'a touch option that is not a boolean',
    'touch',
    (s) => s.getSession('a3bb189e-8bf9-4888-9912-ace4e6543002', { touch: 'no' as never }),
  ],
  ['a malformed excepted session id', 'exceptSessionId', (s) => s.deleteAllSessions('alice', { exceptSessionId: 'x' })],
  ['a page of 0 logins', 'limit', (s) => s.listLogins({ limit: 0 })],
  ['a page of 1,001 logins', 'limit', (s) => s.listLogins({ limit: 1_001 })],
  ['a malformed cursor', 'cursor', (s) => s.listLogins({ cursor: 'not a cursor' })],
];

const SERVICE_INPUT: [what: string, field: string, call: Call][] = [
  ['an empty service id', 'serviceId', (s) => s.registerService({ serviceId: '', serviceName: 'x', permissions: [] })],
  [
    'a service id with a colon',
    'serviceId',
    (s) => s.registerService({ serviceId: 'a:b', serviceName: 'x', permissions: [] }),
  ],
  [
    'an empty service name',
    'serviceName',
    (s) => s.registerService({ serviceId: 'a', serviceName: ' ', permissions: [] }),
  ],
  [
    'permissions that are not an array',
    'permissions',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: '*' as never }),
  ],
  [
    'a malformed permission',
    'permissions[1]',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: ['session.read', 'session..read'] }),
  ],
  [
    'a permission for an attribute with a lone surrogate',
    'permissions[0]',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: ['session.read:\ud800'] }),
  ],
  [
    'a permission of the library that does not exist',
    'permissions[1]',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: ['session.read', 'session.raed'] }),
  ],
  [
    'a secret that is too short',
    'secretKey',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: [], secretKey: 'short' }),
  ],
  [
    'a chosen secret with the prefix of generated ones',
    'secretKey',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: [], secretKey: 'dss_made_up_secret' }),
  ],
  [
    'an unknown field of registerService()',
    'secret',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: [], secret: 'x' } as never),
  ],
  ['a service without an id in as()', 'serviceId', async (s) => s.as({ permissions: ['*'] } as never)],
  [
    'the reserved service id @expiry in as()',
    'serviceId',
    async (s) => s.as({ serviceId: '@expiry', permissions: [] }),
  ],
  ['an undefined service in as()', 'serviceId', async (s) => s.as(undefined as never)],
  [
    'permissions that are not an array in as()',
    'permissions',
    async (s) => s.as({ serviceId: 'a', permissions: '*' as never }),
  ],
  [
    'a secret with lone surrogates',
    'secretKey',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: [], secretKey: '\ud800'.repeat(12) }),
  ],
  [
    'a service name with a lone surrogate',
    'serviceName',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x\ud800', permissions: [] }),
  ],
  ...[
    ' leading space',
    'trailing space ',
    'non-ASCII schlüssel',
    'line\nbreak in it',
    'a tab\tinside it',
    'emoji 🦊 inside',
  ].map((secretKey): [string, string, Call] => [
    `the secret ${JSON.stringify(secretKey)}, which not every carrier transports,`,
    'secretKey',
    (s) => s.registerService({ serviceId: 'a', serviceName: 'x', permissions: [], secretKey }),
  ]),
  ['a negative overlap', 'overlapMs', (s) => s.rotateServiceSecret('a', { overlapMs: -1 })],
  ['a misspelt option of rotateServiceSecret()', 'overlap', (s) => s.rotateServiceSecret('a', { overlap: 0 } as never)],
];

/** Invalid arguments: each is rejected with a typed error that names the field, and nothing is written. */
export function describeBadInput(context: StorageContext): void {
  const { it } = context.runner;
  const rejects = (what: string, call: Call, code: 'ERR_SESSION_INPUT' | 'ERR_SERVICE_INPUT', field: string) =>
    it(`${what} is rejected with an error that names ${field}`, async () => {
      const sessions = await context.manager();
      const error = await rejectsWith(call(sessions), code, { field });
      // An unknown option is named without its path: `Unknown option "devise"`.
      assert(error.message.includes(field.replace('options.', '')));
      assert.equal(await sessions.countSessions(), 0);
      assert.deepEqual(await sessions.listServices(), []);
    });

  context.topic('bad input', () => {
    for (const [what, field, call] of SESSION_INPUT) rejects(what, call, 'ERR_SESSION_INPUT', field);
    for (const [what, field, call] of SERVICE_INPUT) rejects(what, call, 'ERR_SERVICE_INPUT', field);
  });
}
