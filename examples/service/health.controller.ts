import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';

/** `GET /health` for load balancers and orchestrators: 503 while the sessions are unavailable. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: DistributedSessionHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.sessions.pingCheck('sessions')]);
  }
}
