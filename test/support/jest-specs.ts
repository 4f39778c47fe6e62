/** Requires the library, and then imports it. Both are one in Node, and in Jest only if it can require ES modules. */
export const REQUIRE_AND_IMPORT = `
const { DistributedSessionManager } = require('nestjs-distributed-session');

test('the same class is required and imported', async () => {
  const imported = await import('nestjs-distributed-session');
  expect(imported.DistributedSessionManager).toBe(DistributedSessionManager);
});
`;

/** Imports the library, and a CommonJS package that requires it. */
export const IMPORT_DEPENDENCY = `
import { FakeClock } from 'nestjs-distributed-session/testing';

test('a CommonJS dependency has the same class', async () => {
  const dependency = await import('acme-logins');
  expect(new dependency.default.FakeClock()).toBeInstanceOf(FakeClock);
});
`;

/** Injects by types alone, through the metadata of decorators. */
export const INJECTION = `
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DistributedSessionManager, DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
import { Greeting } from './greeting.js';

@Injectable()
class Logins {
  constructor(
    readonly sessions: DistributedSessionManager,
    readonly greeting: Greeting,
  ) {}
}

test('a provider receives the manager', async () => {
  const sessions = DistributedSessionModule.forRoot({ serviceId: 'main', storage: new InMemorySessionStorage() });
  const module = await Test.createTestingModule({ imports: [sessions], providers: [Logins, Greeting] }).compile();
  await module.init();
  const logins = module.get(Logins);
  expect(logins.sessions).toBe(module.get(DistributedSessionManager));
  expect(logins.greeting.text).toBe('hello');
  await logins.sessions.createSession('alice');
  await module.close();
});
`;

export const GREETING = `
import { Injectable } from '@nestjs/common';

@Injectable()
export class Greeting {
  readonly text: string = 'hello';
}
`;
