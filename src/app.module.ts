import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { DistributedSessionModule } from 'nestjs-distributed-session';
import { Administrator } from './administrator/administrator.js';
import { environmentConfig } from './config/environment.config.js';
import { sessionOptions } from './config/session-options.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { RequestLog } from './logging/request-log.js';
import { StorageNotice } from './logging/storage-notice.js';
import { LoginsController } from './logins/logins.controller.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ServicesController } from './services/services.controller.js';
import { AttributesController } from './sessions/attributes.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';

/** The session service: the library behind REST, for services that do not hold the storage themselves. */
@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [environmentConfig] }),
    DistributedSessionModule.forRootAsync({
      isGlobal: true,
      inject: [environmentConfig.KEY],
      useFactory: sessionOptions,
    }),
    HttpModule,
    EventsModule,
    HealthModule,
    MetricsModule,
  ],
  controllers: [SessionsController, AttributesController, LoginsController, ServicesController],
  providers: [Administrator, RequestLog, StorageNotice],
})
export class AppModule {}
