import { Controller, Inject, Injectable, Scope, type Type } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionModule,
  InMemorySessionStorage,
  OnSessionEvent,
  OptionsError,
  type SessionEventMap,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { closeApps, makeApp, startSessionApp } from './support/running-app.js';

type Created = SessionEventMap['session.created'];
type Ended = SessionEventMap['session.ended'];

class Calls {
  readonly entries: string[] = [];
}

@Injectable()
class Auditor {
  constructor(private readonly calls: Calls) {}

  @OnSessionEvent('session.created', 'session.ended')
  audit({ type, loginId }: Created | Ended) {
    this.calls.entries.push(`provider: ${type} ${loginId}`);
  }

  /** Has two decorators. */
  @OnSessionEvent('session.updated')
  @OnSessionEvent('service.changed')
  async note({ type }: SessionEventMap['session.updated' | 'service.changed']) {
    await Promise.resolve();
    this.calls.entries.push(`provider: ${type}`);
  }

  unmarked() {
    this.calls.entries.push('never');
  }
}

@Controller('listening')
class ListeningController {
  constructor(private readonly calls: Calls) {}

  @OnSessionEvent('session.ended')
  onEnded({ reason }: Ended) {
    this.calls.entries.push(`controller: ended as ${reason}`);
  }
}

/** Fails in every possible way, before the other listeners. */
@Injectable()
class FailingListener {
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

describe.each(ADAPTERS)('@OnSessionEvent() on %s', (_name, makeAdapter) => {
  const start = async (providers: Type[], storage = new InMemorySessionStorage()) => {
    const calls = new Calls();
    const metadata = {
      providers: [...providers, { provide: Calls, useValue: calls }],
      controllers: [ListeningController],
    };
    const app = await startSessionApp(makeAdapter, { serviceId: 'shop', storage }, metadata);
    return { ...app, calls: calls.entries };
  };

  test('calls methods of providers and controllers for the event types that they declare', async () => {
    const { sessions, calls } = await start([Auditor]);
    const { sessionId } = await sessions.createSession('alice');
    await sessions.setAttribute(sessionId, 'role', 'admin');
    await sessions.registerService({ serviceId: 'gateway', serviceName: 'Gateway', permissions: [] });
    await sessions.kickOut(sessionId);
    await delivered();
    expect(calls).toEqual([
      'provider: session.created alice',
      'provider: session.updated',
      'provider: service.changed',
      'provider: session.ended alice',
      'controller: ended as kicked-out',
    ]);
  });

  test('calls listeners for changes by another application on the same storage', async () => {
    const storage = new InMemorySessionStorage();
    const { calls } = await start([Auditor], storage);
    const other = await startSessionApp(makeAdapter, { serviceId: 'bank', storage });
    const { sessionId } = await other.sessions.createSession('alice');
    await other.sessions.deleteSession(sessionId);
    await delivered();
    expect(calls).toEqual([
      'provider: session.created alice',
      'provider: session.ended alice',
      'controller: ended as logged-out',
    ]);
  });

  test('isolates failing listeners from the caller and from other listeners', async () => {
    const { sessions, calls } = await start([FailingListener, Auditor]);
    const { sessionId } = await sessions.createSession('alice');
    expect(await sessions.deleteSession(sessionId)).toBe(true);
    // Enough turns for Jest to detect an unhandled rejection and fail this test.
    for (let turn = 0; turn < 10; turn++) await delivered();
    expect(calls).toEqual([
      'provider: session.created alice',
      'provider: session.ended alice',
      'controller: ended as logged-out',
    ]);
  });

  test('calls a listener once if its provider has two tokens', async () => {
    const calls = new Calls();
    const providers = [Auditor, { provide: 'alias', useExisting: Auditor }, { provide: Calls, useValue: calls }];
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const { sessions } = await startSessionApp(makeAdapter, options, { providers });
    await sessions.createSession('alice');
    await delivered();
    expect(calls.entries).toEqual(['provider: session.created alice']);
  });

  test('calls no listener after its application is closed', async () => {
    const storage = new InMemorySessionStorage();
    const { app, calls } = await start([Auditor], storage);
    const other = await startSessionApp(makeAdapter, { serviceId: 'bank', storage });
    await app.close();
    await other.sessions.createSession('alice');
    await delivered();
    expect(calls).toEqual([]);
  });

  test.each<[string, Type, 'providers' | 'controllers']>([
    ['a request-scoped provider', RequestListener, 'providers'],
    ['a provider that injects a request-scoped one', RequestDependentListener, 'providers'],
    ['a transient provider', TransientListener, 'providers'],
    ['a request-scoped controller', RequestController, 'controllers'],
  ])('stops the start of an application with a listener in %s', async (_scope, listener, kind) => {
    const imports = [DistributedSessionModule.forRoot({ serviceId: 'shop', storage: new InMemorySessionStorage() })];
    const app = await makeApp({ imports, [kind]: [listener] }, makeAdapter);
    const outcome: unknown = await app.init().then(
      () => 'started',
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: 'ERR_OPTIONS', errors: [expect.stringContaining(listener.name)] });
  });

  test('does not affect a request-scoped class without listeners', async () => {
    const { sessions } = await start([RequestScopedWithoutListener]);
    expect(await sessions.countSessions()).toBe(0);
  });
});

describe('@OnSessionEvent()', () => {
  test('rejects an unknown event type, and a call without one', () => {
    const decorate = OnSessionEvent as (...types: string[]) => unknown;
    expect(() => decorate('session.create')).toThrow(OptionsError);
    expect(() => decorate('session.created', 'toString')).toThrow(
      /Unknown event type "toString"\. Known event types: .*session\.created/s,
    );
    expect(() => decorate()).toThrow(OptionsError);
  });

  test('applies to a class that extends the listener', async () => {
    const calls: string[] = [];
    class ParentListener {
      @OnSessionEvent('session.created')
      onCreated({ loginId }: { loginId: string }) {
        calls.push(`${this.constructor.name} ${loginId}`);
      }
    }
    @Injectable()
    class ChildListener extends ParentListener {}
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    const shop = await startSessionApp(ADAPTERS[0]![1], options, { providers: [ChildListener] });
    await shop.sessions.createSession('alice');
    await delivered();
    expect(calls).toEqual(['ChildListener alice']);
  });
});

/** Events are delivered in the microtask queue after their change, so one turn of the event loop is enough. */
async function delivered(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
