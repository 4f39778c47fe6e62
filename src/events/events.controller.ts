import { Readable } from 'node:stream';
import { Controller, Get, Header, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiTags } from '@nestjs/swagger';
import { CurrentService, DistributedSessionManager, type VerifiedService } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { type AnyRequest, rawRequest } from '../http/request-context.js';
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
      "Server-sent events from all processes that share the storage. `feed.gap` means that events may have been missed, for example because the events after `Last-Event-ID` are no longer stored: discard cached data. `service.changed` also requires `service.read`. The stream ends when the reader's credential changes or expires, and after a maximum lifetime: resume it. A service has a limited number of streams.",
    permissions: ['session.list'],
    response: { type: String, description: 'The events, each with `id`, `event` and JSON `data`.' },
    problems: ['ERR_TOO_MANY_STREAMS'],
  })
  async streamEvents(
    @CallerSessions() sessions: DistributedSessionManager,
    @CurrentService() reader: VerifiedService,
    @Req() request: AnyRequest,
    @Query() query: EventsQuery,
  ): Promise<StreamableFile> {
    const { method, headers, socket: connection } = rawRequest(request);
    const filter = eventFilter(query, sessions.may('service.read'));
    const lastEventId = (headers['last-event-id'] as string | undefined) ?? query.lastEventId;
    // A HEAD request needs only the headers, and nothing would read the stream.
    const stream =
      method === 'HEAD' ? Readable.from([]) : await this.streams.stream(reader, { filter, lastEventId, connection });
    return new StreamableFile(stream, { type: 'text/event-stream; charset=utf-8' });
  }
}
