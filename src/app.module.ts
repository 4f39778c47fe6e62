import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionModule } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { Administrator } from './administrator/administrator.js';
import { environmentConfig } from './config/read-environment.js';
import { sessionOptions } from './config/session-options.js';
import { EventLog } from './events/event-log.js';
import { EventStreams } from './events/event-streams.js';
import { EventsController } from './events/events.controller.js';
import { HealthController } from './health/health.controller.js';
import { HttpModule } from './http/http.module.js';
import { RequestLog } from './logging/request-log.js';
import { StorageNotice } from './logging/storage-notice.js';
import { LoginsController } from './logins/logins.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { ServiceMetrics } from './metrics/service-metrics.js';
import { ServicesController } from './services/services.controller.js';
import { AttributesController } from './sessions/attributes.controller.js';
import { RotationController } from './sessions/rotation.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';

/** The session service: the library behind a REST API, for services without access to the storage. */
@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [environmentConfig] }),
    DistributedSessionModule.forRootAsync({
      isGlobal: true,
      inject: [environmentConfig.KEY],
      useFactory: sessionOptions,
    }),
    HttpModule,
    // The response of a health check describes the failure; Terminus would also log it at every probe.
    TerminusModule.forRoot({ logger: false }),
  ],
  controllers: [
    SessionsController,
    RotationController,
    AttributesController,
    LoginsController,
    ServicesController,
    EventsController,
    HealthController,
    MetricsController,
  ],
  providers: [
    Administrator,
    RequestLog,
    StorageNotice,
    EventLog,
    EventStreams,
    ServiceMetrics,
    DistributedSessionHealthIndicator,
  ],
})
export class AppModule {}
