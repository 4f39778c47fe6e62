import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  ServiceUnavailableException,
  UseFilters,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { AllowAnonymousService } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { ApiProblems } from '../openapi/operation.decorator.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { LivenessResponse, ReadinessResponse } from './health.dto.js';

/** Responds to a failed health check with its result, as probes expect, instead of a problem. */
@Catch(ServiceUnavailableException)
class HealthFilter implements ExceptionFilter<ServiceUnavailableException> {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(exception: ServiceUnavailableException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<object>();
    this.host.httpAdapter.reply(response, exception.getResponse(), exception.getStatus());
  }
}

const SHUTTING_DOWN: HealthCheckResult = { status: 'shutting_down', info: {}, error: {}, details: {} };

/** Health checks for process managers and load balancers. They require no credential and expose no secrets. */
@ApiTags('Health')
@AllowAnonymousService()
@UseFilters(HealthFilter)
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: DistributedSessionHealthIndicator,
    private readonly shutdown: Shutdown,
  ) {}

  @Get('live')
  @ApiOperation({ summary: 'Check liveness', description: 'Does not depend on the storage.' })
  @ApiOkResponse({ type: LivenessResponse, description: 'The process is alive.' })
  @ApiProblems()
  getLiveness(): LivenessResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  @ApiOperation({
    summary: 'Check readiness',
    description:
      'Checks whether the process may get requests: the storage is available, and no shutdown was requested.',
  })
  @ApiOkResponse({
    type: ReadinessResponse,
    description: 'The process can serve requests. A `degraded` part describes its problem.',
  })
  @ApiServiceUnavailableResponse({
    type: ReadinessResponse,
    description: 'The storage is not available, or the process stops.',
  })
  @ApiProblems()
  async getReadiness(): Promise<HealthCheckResult> {
    if (this.shutdown.isAnnounced) throw new ServiceUnavailableException(SHUTTING_DOWN);
    return this.health.check([() => this.sessions.pingCheck('sessions')]);
  }
}
