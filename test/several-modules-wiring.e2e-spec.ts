import { Controller, Get, Inject, Injectable, Scope } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionManager,
  InjectDistributedSessionManager,
  InjectResolvedOptions,
  InjectServiceCredentialStorage,
  InjectSessionEvents,
  InjectSessionStorage,
  OnSessionEvent,
  type ResolvedOptions,
  type SessionEvent,
  SessionEvents,
  type SessionStorage,
  StorageUnavailableError,
  getDistributedSessionManagerToken,
  getResolvedOptionsToken,
  getServiceCredentialStorageToken,
  getSessionEventsToken,
  getSessionStorageToken,
} from 'nestjs-distributed-session';
import type { ServiceCredentialStorage } from 'nestjs-distributed-session/storage';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { ADAPTERS } from './support/adapters.js';
import { send } from './support/http-request.js';
import { closeApps } from './support/running-app.js';
import { ADMINS, startTwoModules } from './support/two-modules.js';
import { WatchedStorage } from './support/watched-storage.js';

const AdminsHealth = DistributedSessionHealthIndicator.for(ADMINS);

@Injectable()
class Listener {
  readonly entries: string[] = [];

  constructor(@InjectSessionEvents(ADMINS) admins: SessionEvents) {
    admins.on('session.created').subscribe(({ loginId }) => this.entries.push(`observed admin ${loginId}`));
  }

  @OnSessionEvent('session.created', 'session.ended')
  onUser(event: SessionEvent & { loginId: string }) {
    this.entries.push(`user ${event.loginId} ${event.type}`);
  }

  @OnSessionEvent('session.ended', { module: ADMINS })
  onAdmin(event: SessionEvent & { loginId: string }) {
    this.entries.push(`admin ${event.loginId} ${event.type}`);
  }

  @OnSessionEvent('service.changed')
  @OnSessionEvent('service.changed', { module: ADMINS })
  onService() {
    this.entries.push('service');
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly users: DistributedSessionHealthIndicator,
    @Inject(AdminsHealth) private readonly admins: DistributedSessionHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.users.pingCheck(), () => this.admins.pingCheck()]);
  }

  @Get('named')
  @HealthCheck()
  named() {
    return this.health.check([() => this.users.pingCheck('shoppers'), () => this.admins.pingCheck('staff')]);
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  constructor(
    readonly users: DistributedSessionManager,
    @InjectDistributedSessionManager(ADMINS) readonly admins: DistributedSessionManager,
  ) {}
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient {
  @InjectDistributedSessionManager(ADMINS)
  readonly admins!: DistributedSessionManager;
}

/** Everything that a named module exports. */
@Injectable()
class Everything {
  constructor(
    @InjectDistributedSessionManager(ADMINS) readonly manager: DistributedSessionManager,
    @InjectSessionEvents(ADMINS) readonly events: SessionEvents,
    @InjectSessionStorage(ADMINS) readonly storage: SessionStorage,
    @InjectServiceCredentialStorage(ADMINS) readonly services: ServiceCredentialStorage,
    @InjectResolvedOptions(ADMINS) readonly options: ResolvedOptions,
  ) {}
}

@Controller()
class ScopedController {
  constructor(
    private readonly scoped: PerRequest,
    private readonly transient: Transient,
  ) {}

  @Get('count')
  async count() {
    const managers = [this.scoped.users, this.scoped.admins, this.transient.admins];
    return (await Promise.all(managers.map((manager) => manager.countOnline()))).map(({ logins }) => logins);
  }
}

const REPORTER = { serviceId: 'reporter', serviceName: 'Reporter', permissions: ['report.read'] };

describe.each(ADAPTERS)('Two modules of one application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  test('publish their events only to listeners that select them', async () => {
    const { app, users, admins } = await startTwoModules(makeAdapter, { providers: [Listener] });
    const { entries } = app.get(Listener);
    const alice = await users.createSession('alice');
    const root = await admins.createSession('root');
    await admins.registerService(REPORTER);
    await admins.kickOut(root.sessionId);
    await users.registerService(REPORTER);
    await users.kickOut(alice.sessionId);
    await new Promise((resolve) => setImmediate(resolve));
    expect(entries).toEqual([
      'user alice session.created',
      'observed admin root',
      'service',
      'admin root session.ended',
      'service',
      'user alice session.ended',
    ]);
  });

  test('appear in the health report under their own keys, each with its own status', async () => {
    const storages = { users: new WatchedStorage(), admins: new WatchedStorage() };
    const metadata = {
      imports: [TerminusModule],
      providers: [DistributedSessionHealthIndicator, AdminsHealth],
      controllers: [HealthController],
    };
    const { url } = await startTwoModules(makeAdapter, metadata, storages);
    const up = { status: 'up' };
    expect((await send(`${url}/health`)).json).toMatchObject({
      status: 'ok',
      details: { distributedSession: up, 'distributedSession:admins': up },
    });
    storages.admins.failure = new StorageUnavailableError();
    const answer = await send(`${url}/health/named`);
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({ details: { shoppers: up, staff: { status: 'down' } } });
  });

  test('are injected by name into request-scoped and transient providers, and into properties', async () => {
    const metadata = { controllers: [ScopedController], providers: [PerRequest, Transient] };
    const { url, admins } = await startTwoModules(makeAdapter, metadata);
    await admins.createSession('root');
    expect((await send(`${url}/count`)).json).toEqual([0, 1, 1]);
  });

  test('are injected by name, each with its own manager, events, storages and options', async () => {
    const storages = { users: new WatchedStorage(), admins: new WatchedStorage() };
    const { app, admins } = await startTwoModules(makeAdapter, { providers: [Everything] }, storages);
    const { manager, events, storage, services, options } = app.get(Everything);
    expect([manager === admins, events === admins.events]).toEqual([true, true]);
    expect([storage, options.storage].every((one) => one === storages.admins)).toBe(true);
    expect(services).toBe(storages.admins.services);
    expect(options.serviceId).toBe('office');
    const byToken = [
      getDistributedSessionManagerToken(ADMINS),
      getSessionEventsToken(ADMINS),
      getSessionStorageToken(ADMINS),
      getServiceCredentialStorageToken(ADMINS),
      getResolvedOptionsToken(ADMINS),
    ].map((token) => app.get<unknown>(token, { strict: false }));
    const injected = [manager, events, storage, services, options];
    expect(byToken.map((value, index) => value === injected[index])).toEqual([true, true, true, true, true]);
  });

  test('drain and close separately when the application stops, and one that fails does not keep the other open', async () => {
    class FailingStorage extends WatchedStorage {
      override async close(): Promise<void> {
        await super.close();
        throw new Error('cannot be closed');
      }
    }
    const storages = { users: new FailingStorage(), admins: new FailingStorage() };
    const { app, users, admins } = await startTwoModules(makeAdapter, {}, storages);
    const [alice, root] = [await users.createSession('alice'), await admins.createSession('root')];
    const [releaseUsers, releaseAdmins] = [storages.users.hold('replace'), storages.admins.hold('replace')];
    const writes = [users.setAttribute(alice.sessionId, 'a', 1), admins.setAttribute(root.sessionId, 'a', 1)];
    const closing = app.close();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([...storages.users.calls, ...storages.admins.calls]).not.toContain('close');
    releaseUsers();
    releaseAdmins();
    await Promise.all([...writes, closing]);
    for (const storage of [storages.users, storages.admins]) {
      expect(storage.calls.slice(-2)).toEqual(['replace done', 'close']);
    }
  });
});
