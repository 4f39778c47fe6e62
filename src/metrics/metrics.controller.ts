import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AllowAnonymousService } from 'nestjs-distributed-session';
import { ApiProblems } from '../openapi/operation.decorator.js';
import { MetricsTokenGuard } from './metrics-token.guard.js';
import { ServiceMetrics } from './service-metrics.js';

/** For Prometheus. A scraper is no service: it is known by a token of its own, and works while the storage is down. */
@ApiTags('Health')
@AllowAnonymousService()
@UseGuards(MetricsTokenGuard)
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: ServiceMetrics) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiProduces('text/plain')
  @ApiOperation({
    summary: 'Measurements for Prometheus',
    description: 'Asks for `METRICS_TOKEN` as bearer token, where it is set.',
  })
  @ApiOkResponse({ type: String, description: 'The text format of Prometheus.' })
  @ApiProblems('ERR_ROUTE_NOT_FOUND')
  getMetrics(): Promise<string> {
    return this.metrics.text();
  }
}
