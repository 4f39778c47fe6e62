import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionExceptionFilter } from 'nestjs-distributed-session';
import { HealthController } from '../service/health.controller.js';
import { OrderController } from './order.controller.js';

/** The order service: it has no login of its own and knows every user. */
@Module({
  imports: [TerminusModule],
  controllers: [OrderController, HealthController],
  providers: [{ provide: APP_FILTER, useClass: DistributedSessionExceptionFilter }],
})
export class OrderModule {}
