import { Module } from '@nestjs/common';
import { ConfigurableModuleClass } from './distributed-session.module-definition.js';

/**
 * Provides the {@link DistributedSessionManager}, the events and the dependencies of the guards. `forRootAsync()` takes
 * `useFactory`, `useClass` or `useExisting`. Set `isGlobal: true` to import it once for all modules. An application with
 * several kinds of accounts imports it several times and gives each a `name`.
 *
 * @example
 * import { DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
 *
 * const sessions = DistributedSessionModule.forRoot({
 *   serviceId: 'order',
 *   storage: new InMemorySessionStorage(),
 * });
 *
 * @example
 * import { DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
 *
 * const admins = DistributedSessionModule.forRootAsync({
 *   name: 'admins',
 *   useFactory: () => ({ serviceId: 'office', storage: new InMemorySessionStorage() }),
 * });
 *
 * @throws {OptionsError} at startup, with every invalid option at once; and for modules that collide.
 */
@Module({})
export class DistributedSessionModule extends ConfigurableModuleClass {}
