import { type FactoryProvider, Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { ServicePermissionGuard, SessionEvents } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';
import { ConnectionDrain } from '../shutdown/connection-drain.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { CallerGuard } from './calling-service.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestDtoPipe } from './request-dto.pipe.js';
import { ResourceHeadersInterceptor } from './resource-headers.interceptor.js';
import { RouteMethods } from './route-methods.js';
import { StrictRequestInterceptor } from './strict-request.interceptor.js';

const idempotencyKeys: FactoryProvider = {
  provide: IdempotencyKeys,
  inject: [environmentConfig.KEY, SessionEvents],
  useFactory: ({ IDEMPOTENCY_RETENTION_MS }: Environment, events: SessionEvents) => {
    // A monotonic clock: retention is a duration, and the system clock may be set.
    const keys = new IdempotencyKeys(IDEMPOTENCY_RETENTION_MS, { now: () => performance.now() });
    events.on('service.changed').subscribe(({ serviceId }) => keys.forget(serviceId));
    events.on('feed.gap').subscribe(() => keys.forget());
    return keys;
  },
};

/** The guards, interceptors, pipe and filter of every route, in order of execution. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: APP_GUARD, useClass: CallerGuard },
    { provide: APP_GUARD, useClass: ServicePermissionGuard },
    { provide: APP_INTERCEPTOR, useClass: StrictRequestInterceptor },
    { provide: APP_INTERCEPTOR, useClass: ResourceHeadersInterceptor },
    { provide: APP_PIPE, useClass: RequestDtoPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
    RouteMethods,
    idempotencyKeys,
    Shutdown,
    ConnectionDrain,
  ],
  exports: [IdempotencyKeys, Shutdown],
})
export class HttpModule {}
