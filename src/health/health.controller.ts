import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { AllowAnonymousService } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { ApiProblems } from '../openapi/operation.decorator.js';
import { HealthFilter } from './health.filter.js';
import { LivenessResponse, ReadinessResponse } from './health.response.js';

/** For whoever starts, stops and routes to this process. Asks for no credential, and tells nothing that is secret. */
@ApiTags('Health')
@AllowAnonymousService()
@UseFilters(HealthFilter)
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sessions: DistributedSessionHealthIndicator,
  ) {}

  @Get('live')
  @ApiOperation({ summary: 'Is the process alive?', description: 'It needs no store to be.' })
  @ApiOkResponse({ type: LivenessResponse, description: 'It is.' })
  @ApiProblems()
  getLiveness(): LivenessResponse {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  @ApiOperation({ summary: 'Can the process serve?', description: 'Whether the store of the sessions answers.' })
  @ApiOkResponse({ type: ReadinessResponse, description: 'It can; `degraded` says what is not as it should be.' })
  @ApiServiceUnavailableResponse({ type: ReadinessResponse, description: 'It cannot.' })
  @ApiProblems()
  getReadiness(): Promise<HealthCheckResult> {
    return this.health.check([() => this.sessions.pingCheck('sessions')]);
  }
}
