import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { RESOLVED_OPTIONS, type ResolvedOptions, StorageUnavailableError } from 'nestjs-distributed-session';
import {
  DistributedSessionHealthIndicator,
  type DistributedSessionHealthOptions,
} from 'nestjs-distributed-session/terminus';
import { OWN_SESSIONS, type ServiceIdentity } from '../service/shared-sessions.js';
import { RemoteSessions } from './remote-sessions.js';
import { SessionServiceConnection } from './session-service.connection.js';

/** Checks whether the session service is ready, in place of the library's indicator, which checks the storage. */
@Injectable()
class SessionServiceHealthIndicator implements Pick<DistributedSessionHealthIndicator, 'pingCheck'> {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly service: SessionServiceConnection,
  ) {}

  async pingCheck<const Key extends string>(
    key: Key = 'sessionService' as Key,
    { timeoutMs = 1_000 }: Pick<DistributedSessionHealthOptions, 'timeoutMs'> = {},
  ): Promise<HealthIndicatorResult<Key>> {
    return this.indicators
      .check(key)
      .attempt(() => this.#assertReady(timeoutMs))
      .withTimeout(timeoutMs);
  }

  /** The route requires no credential: load balancers use it too. */
  async #assertReady(timeoutMs: number): Promise<void> {
    const response = await fetch(new URL('/health/ready', this.service.url), {
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new StorageUnavailableError('The session service is not ready.');
  }
}

/** Where `SessionGuard` looks for a session's credential. */
const GUARD_OPTIONS: Pick<ResolvedOptions, 'sessionCarriers' | 'sessionCookieName'> = {
  sessionCarriers: ['bearer'],
  sessionCookieName: '__Host-session',
};

/**
 * The sessions of a service that reaches them through the session service and holds only its own credential. It
 * authenticates before it starts; a wrong secret makes startup fail.
 */
@Module({})
export class RemoteSessionsModule {
  static forService(identity: ServiceIdentity, url: string): DynamicModule {
    const connection = {
      provide: SessionServiceConnection,
      useFactory: async (): Promise<SessionServiceConnection> => {
        const made = new SessionServiceConnection(url, identity);
        await made.authenticate();
        return made;
      },
    };
    return {
      module: RemoteSessionsModule,
      imports: [TerminusModule],
      providers: [
        connection,
        {
          provide: OWN_SESSIONS,
          inject: [SessionServiceConnection],
          useFactory: (made: SessionServiceConnection) => new RemoteSessions(made),
        },
        { provide: RESOLVED_OPTIONS, useValue: GUARD_OPTIONS },
        { provide: DistributedSessionHealthIndicator, useClass: SessionServiceHealthIndicator },
      ],
      exports: [OWN_SESSIONS, RESOLVED_OPTIONS, DistributedSessionHealthIndicator],
    };
  }
}
