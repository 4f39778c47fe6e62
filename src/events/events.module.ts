import { Module } from '@nestjs/common';
import { EventLog } from './event-log.js';
import { EventStreams } from './event-streams.js';
import { EventsController } from './events.controller.js';

@Module({ controllers: [EventsController], providers: [EventLog, EventStreams], exports: [EventStreams] })
export class EventsModule {}
