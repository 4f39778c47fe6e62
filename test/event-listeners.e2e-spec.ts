import { Controller, Inject, Injectable, Scope, type Type } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionModule,
  InMemorySessionStorage,
  OnSessionEvent,
  type SessionEventMap,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp, startSessionApp } from './support/running-app.js';

type Created = SessionEventMap['session.created'];
type Ended = SessionEventMap['session.ended'];

class Heard {
  readonly entries: string[] = [];
}

@Injectable()
class Auditor {
  constructor(private readonly heard: Heard) {}

  @OnSessionEvent('session.created', 'session.ended')
  audit({ type, loginId }: Created | Ended) {
    this.heard.entries.push(`provider: ${type} ${loginId}`);
  }

  /** Two types by two decorators. */
  @OnSessionEvent('session.updated')
  @OnSessionEvent('service.changed')
  async note({ type }: SessionEventMap['session.updated' | 'service.changed']) {
    await Promise.resolve();
    this.heard.entries.push(`provider: ${type}`);
  }

  unmarked() {
    this.heard.entries.push('never');
  }
}

@Controller('listening')
class ListeningController {
  constructor(private readonly heard: Heard) {}

  @OnSessionEvent('session.ended')
  onEnded({ reason }: Ended) {
    this.heard.entries.push(`controller: ended as ${reason}`);
  }
}

/** Fails in every way, before the others. */
@Injectable()
class Troublemaker {
  @OnSessionEvent('session.created', 'session.ended')
  throws() {
    throw new Error('listener failed');
  }

  @OnSessionEvent('session.created', 'session.ended')
  async rejects() {
    await Promise.resolve();
    throw new Error('listener failed later');
  }

  @OnSessionEvent('session.created', 'session.ended')
  rejectsWithNothing() {
    return Promise.reject();
  }

  @OnSessionEvent('session.created')
  neverSettles() {
    return new Promise(() => undefined);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestListener {
  @OnSessionEvent('session.created')
  onCreated() {
    return 'never';
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientListener {
  @OnSessionEvent('session.created')
  onCreated() {
    return 'never';
  }
}

@Injectable()
class RequestDependentListener {
  constructor(@Inject(REQUEST) readonly request: unknown) {}

  @OnSessionEvent('session.created')
  onCreated() {
    return 'never';
  }
}

@Controller({ path: 'request', scope: Scope.REQUEST })
class RequestController {
  @OnSessionEvent('session.created')
  onCreated() {
    return 'never';
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedWithoutListener {
  onCreated() {
    return 'never';
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('listeners of session events on %s', (_name, makeAdapter) => {
  const start = async (providers: Type[], storage = new InMemorySessionStorage()) => {
    const heard = new Heard();
    const metadata = {
      providers: [...providers, { provide: Heard, useValue: heard }],
      controllers: [ListeningController],
    };
    const app = await startSessionApp(makeAdapter, { serviceId: 'shop', storage }, metadata);
    return { ...app, heard: heard.entries };
  };

  test('are the marked methods of providers and of controllers, each for the types it names', async () => {
    const { sessions, heard } = await start([Auditor]);
    const { sessionId } = await sessions.createSession('alice');
    await sessions.setAttribute(sessionId, 'role', 'admin');
    await sessions.registerService({ serviceId: 'gateway', serviceName: 'Gateway', permissions: [] });
    await sessions.kickOut(sessionId);
    await delivered();
    expect(heard).toEqual([
      'provider: session.created alice',
      'provider: session.updated',
      'provider: service.changed',
      'provider: session.ended alice',
      'controller: ended as kicked-out',
    ]);
  });

  test('hear what another application does on the same storage', async () => {
    const storage = new InMemorySessionStorage();
    const { heard } = await start([Auditor], storage);
    const other = await startSessionApp(makeAdapter, { serviceId: 'bank', storage });
    const { sessionId } = await other.sessions.createSession('alice');
    await other.sessions.deleteSession(sessionId);
    await delivered();
    expect(heard).toEqual([
      'provider: session.created alice',
      'provider: session.ended alice',
      'controller: ended as logged-out',
    ]);
  });

  test('disturb neither the writer nor each other when they fail', async () => {
    const { sessions, heard } = await start([Troublemaker, Auditor]);
    const { sessionId } = await sessions.createSession('alice');
    expect(await sessions.deleteSession(sessionId)).toBe(true);
    // Turns enough for the runner to notice a rejection that nobody handles, and to fail this test for it.
    for (let turn = 0; turn < 10; turn++) await delivered();
    expect(heard).toEqual([
      'provider: session.created alice',
      'provider: session.ended alice',
      'controller: ended as logged-out',
    ]);
  });

  test('are called once each, although a provider is known under two tokens', async () => {
    const heard = new Heard();
    const providers = [Auditor, { provide: 'alias', useExisting: Auditor }, { provide: Heard, useValue: heard }];
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const { sessions } = await startSessionApp(makeAdapter, options, { providers });
    await sessions.createSession('alice');
    await delivered();
    expect(heard.entries).toEqual(['provider: session.created alice']);
  });

  test('hear nothing more once their application is closed', async () => {
    const storage = new InMemorySessionStorage();
    const { app, heard } = await start([Auditor], storage);
    const other = await startSessionApp(makeAdapter, { serviceId: 'bank', storage });
    await app.close();
    await other.sessions.createSession('alice');
    await delivered();
    expect(heard).toEqual([]);
  });

  test.each<[string, Type, 'providers' | 'controllers']>([
    ['request-scoped', RequestListener, 'providers'],
    ['request-scoped by what it injects', RequestDependentListener, 'providers'],
    ['transient', TransientListener, 'providers'],
    ['a request-scoped controller', RequestController, 'controllers'],
  ])('stop the start when their class is %s', async (_how, listener, kind) => {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() })];
    const app = await makeApp({ imports, [kind]: [listener] }, makeAdapter);
    const outcome: unknown = await app.init().then(
      () => 'started',
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: 'ERR_OPTIONS', errors: [expect.stringContaining(listener.name)] });
  });

  test('do not stop the start for a request-scoped class without any', async () => {
    const { sessions } = await start([RequestScopedWithoutListener]);
    expect(await sessions.countSessions()).toBe(0);
  });
});

/** Events follow their step in the microtask queue: one turn of the event loop is after them. */
async function delivered(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
