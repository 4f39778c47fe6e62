import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import {
  AllowAnonymousService,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
} from 'nestjs-distributed-session';

export const SERVICE_GUARDS = [ServiceAuthGuard, ServicePermissionGuard];

/** A single route. */
export class Routes {
  @Get()
  list() {
    return 'content';
  }
}

@Injectable()
export class OwnPermissionGuard extends ServicePermissionGuard {}

@Controller('d')
@UseGuards(...SERVICE_GUARDS)
@AllowAnonymousService()
@RequireServicePermission('service.manage')
export class BothOnClass extends Routes {}
