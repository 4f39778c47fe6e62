import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionExceptionFilter } from 'nestjs-distributed-session';
import { HealthController } from '../service/health.controller.js';
import { PaymentsController } from './payments.controller.js';

/** The pay service: it writes receipts and may change nothing else. */
@Module({
  imports: [TerminusModule],
  controllers: [PaymentsController, HealthController],
  providers: [{ provide: APP_FILTER, useClass: DistributedSessionExceptionFilter }],
})
export class PayModule {}
