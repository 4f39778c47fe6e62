import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AllowAnonymousService } from 'nestjs-distributed-session';
import { ApiProblems } from '../openapi/operation.decorator.js';
import { MetricsTokenGuard } from './metrics-token.guard.js';
import { ServiceMetrics } from './service-metrics.js';

/** Metrics for Prometheus. A scraper has its own token, which works even while the storage is not available. */
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
    summary: 'Read the metrics for Prometheus',
    description: 'Requires `METRICS_TOKEN` as bearer token if it is set.',
  })
  @ApiOkResponse({ type: String, description: 'The metrics in the Prometheus text format.' })
  @ApiProblems('ERR_ROUTE_NOT_FOUND')
  getMetrics(): Promise<string> {
    return this.metrics.text();
  }
}
