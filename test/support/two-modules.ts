import { Controller, Get, type ModuleMetadata, UseGuards } from '@nestjs/common';
import {
  CurrentService,
  CurrentSession,
  type DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  RequireServicePermission,
  type ServiceCredential,
  ServiceAuthGuard,
  ServicePermissionGuard,
  type Session,
  SessionAttribute,
  SessionGuard,
  type SessionStorage,
  getDistributedSessionManagerToken,
} from 'nestjs-distributed-session';
import type { MakeAdapter } from './adapters.js';
import { type RunningApp, startApp } from './running-app.js';

/** The name of the second module: the first has none. */
export const ADMINS = 'admins';
export const ADMINS_COOKIE = '__Host-session-admins';

@Controller()
class AccountsController {
  @Get('user')
  @UseGuards(SessionGuard)
  user(@CurrentSession() { loginId }: Session, @SessionAttribute('role') role?: string) {
    return { loginId, role };
  }

  @Get('admin')
  @UseGuards(SessionGuard.for(ADMINS))
  admin(
    @CurrentSession({ module: ADMINS }) { loginId }: Session,
    @SessionAttribute('role', { module: ADMINS }) role?: string,
  ) {
    return { loginId, role };
  }

  @Get('both')
  @UseGuards(SessionGuard.for(ADMINS), SessionGuard)
  both(@CurrentSession() user: Session, @CurrentSession({ module: ADMINS }) admin: Session) {
    return { user: user.loginId, admin: admin.loginId };
  }

  @Get('user-service')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard)
  @RequireServicePermission('report.read')
  userService(@CurrentService() { serviceId }: ServiceCredential) {
    return { serviceId };
  }

  @Get('admin-service')
  @UseGuards(ServiceAuthGuard.for(ADMINS), ServicePermissionGuard.for(ADMINS))
  @RequireServicePermission('report.read', { module: ADMINS })
  adminService(@CurrentService({ module: ADMINS }) { serviceId }: ServiceCredential) {
    return { serviceId };
  }
}

/** A running application with a module without a name for users, and one named {@link ADMINS}. */
export interface TwoModules extends RunningApp {
  readonly users: DistributedSessionManager;
  readonly admins: DistributedSessionManager;
}

export interface TwoStorages {
  readonly users: SessionStorage;
  readonly admins: SessionStorage;
}

function twoStorages(): TwoStorages {
  return { users: new InMemorySessionStorage(), admins: new InMemorySessionStorage() };
}

/**
 * Returns both modules: the first is configured by `forRoot()`, the second by `forRootAsync()`. Services authenticate to
 * the first with HTTP Basic, and to the second with headers of its own.
 */
function bothModules({ users, admins }: TwoStorages) {
  return [
    DistributedSessionModule.forRoot({ serviceId: 'shop', storage: users, serviceCarriers: ['basic'] }),
    DistributedSessionModule.forRootAsync({
      name: ADMINS,
      useFactory: () => ({ serviceId: 'office', storage: admins, serviceCarriers: ['headers', 'bearer'] }),
    }),
  ];
}

export async function startTwoModules(
  makeAdapter: MakeAdapter,
  metadata: ModuleMetadata = {},
  storages: TwoStorages = twoStorages(),
): Promise<TwoModules> {
  const imports = [...bothModules(storages), ...(metadata.imports ?? [])];
  const running = await startApp({ controllers: [AccountsController], ...metadata, imports }, makeAdapter);
  const admins = running.app.get<DistributedSessionManager>(getDistributedSessionManagerToken(ADMINS), {
    strict: false,
  });
  return { ...running, users: running.sessions, admins };
}
