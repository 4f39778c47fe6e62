import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Header, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiTags } from '@nestjs/swagger';
import { CurrentService, DistributedSessionManager, type ServiceCredential } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { Operation } from '../openapi/operation.decorator.js';
import { EventStreams } from './event-streams.js';
import { EventsQuery, eventFilter } from './events.dto.js';
import { RESUME_ID } from './resume-id.js';

/** Streams the changes to sessions and services. */
@ApiTags('Events')
@Controller('v1/events')
export class EventsController {
  constructor(private readonly streams: EventStreams) {}

  @Get()
  @Header('X-Accel-Buffering', 'no')
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The last `id` received. The stream starts with the events after it.',
    schema: RESUME_ID,
  })
  @ApiProduces('text/event-stream')
  @Operation({
    summary: 'Stream events',
    description:
      "Server-sent events from all processes that share the storage. `feed.gap` means that events may have been missed, for example because the events after `Last-Event-ID` are no longer stored: discard cached data. `service.changed` also requires `service.read`. The stream ends when the reader's credential changes.",
    permissions: ['session.list'],
    response: { type: String, description: 'The events, each with `id`, `event` and JSON `data`.' },
    problems: ['ERR_TOO_MANY_STREAMS'],
  })
  streamEvents(
    @CallerSessions() sessions: DistributedSessionManager,
    @CurrentService() reader: ServiceCredential,
    @Req() { method, headers }: IncomingMessage,
    @Query() query: EventsQuery,
  ): StreamableFile {
    const filter = eventFilter(query, sessions.may('service.read'));
    const lastEventId = headers['last-event-id'] as string | undefined;
    // A HEAD request needs only the headers, and nothing would read the stream.
    const stream =
      method === 'HEAD'
        ? Readable.from([])
        : this.streams.stream(reader.serviceId, filter, lastEventId ?? query.lastEventId);
    return new StreamableFile(stream, { type: 'text/event-stream; charset=utf-8' });
  }
}
