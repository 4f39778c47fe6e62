import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { HealthController } from './health.controller.js';

@Module({
  // The answer says what failed; Terminus would also log it, at each probe.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [DistributedSessionHealthIndicator],
})
export class HealthModule {}
