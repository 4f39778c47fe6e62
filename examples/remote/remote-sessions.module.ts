import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { RESOLVED_OPTIONS, type ResolvedOptions } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import type { ServiceIdentity } from '../service/service-identity.js';
import { OWN_SESSIONS } from '../service/shared-sessions.js';
import { RemoteSessions } from './remote-sessions.js';
import { SessionServiceConnection } from './session-service.connection.js';
import { SessionServiceHealthIndicator } from './session-service.health-indicator.js';

/** Where `SessionGuard` looks for the credential of a session. */
const GUARD_OPTIONS: Pick<ResolvedOptions, 'sessionCarriers' | 'sessionCookieName'> = {
  sessionCarriers: ['bearer'],
  sessionCookieName: '__Host-session',
};

/**
 * The sessions of a service that asks the session service for them, and holds nothing but its own credential. It proves
 * who it is before it starts; a wrong secret stops the start.
 */
@Module({})
export class RemoteSessionsModule {
  static forService(identity: ServiceIdentity, url: string): DynamicModule {
    const connection = {
      provide: SessionServiceConnection,
      useFactory: async (): Promise<SessionServiceConnection> => {
        const made = new SessionServiceConnection(url, identity);
        await made.prove();
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
