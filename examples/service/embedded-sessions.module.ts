import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionManager, DistributedSessionModule, type SessionStorage } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { OWN_SESSIONS, type ServiceIdentity, type SharedSessions } from './shared-sessions.js';

/**
 * The sessions of a service that links the library and holds the storage itself. The service authenticates before it
 * starts, with the secret that an operator passed on; a wrong secret makes startup fail.
 */
@Module({})
export class EmbeddedSessionsModule {
  static forService({ serviceId, secret }: ServiceIdentity, storage: SessionStorage): DynamicModule {
    const ownSessions = {
      provide: OWN_SESSIONS,
      inject: [DistributedSessionManager],
      useFactory: async (sessions: DistributedSessionManager): Promise<SharedSessions> =>
        sessions.as(await sessions.verifyService(serviceId, secret)),
    };
    return {
      module: EmbeddedSessionsModule,
      imports: [TerminusModule, DistributedSessionModule.forRoot({ serviceId, storage, sessionCarriers: ['bearer'] })],
      providers: [ownSessions, DistributedSessionHealthIndicator],
      exports: [OWN_SESSIONS, DistributedSessionModule, DistributedSessionHealthIndicator],
    };
  }
}
