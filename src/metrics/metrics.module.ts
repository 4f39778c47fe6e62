import { Module } from '@nestjs/common';
import { EventsModule } from '../events/events.module.js';
import { MetricsController } from './metrics.controller.js';
import { ServiceMetrics } from './service-metrics.js';

@Module({ imports: [EventsModule], controllers: [MetricsController], providers: [ServiceMetrics] })
export class MetricsModule {}
