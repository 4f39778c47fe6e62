import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionExceptionFilter } from 'nestjs-distributed-session';
import { HealthController } from '../service/health.controller.js';
import { DevicesController } from './devices.controller.js';
import { LoginController } from './login.controller.js';

/** The user service: users log in here. */
@Module({
  imports: [TerminusModule],
  controllers: [LoginController, DevicesController, HealthController],
  providers: [{ provide: APP_FILTER, useClass: DistributedSessionExceptionFilter }],
})
export class UserModule {}
