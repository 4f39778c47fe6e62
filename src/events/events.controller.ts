import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Header, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiTags } from '@nestjs/swagger';
import { CurrentService, DistributedSessionManager, type ServiceCredential } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/caller-sessions.decorator.js';
import { Operation } from '../openapi/operation.decorator.js';
import { eventFilter } from './event-filter.js';
import { EventStreams } from './event-streams.js';
import { EventsQuery } from './events.query.js';
import { RESUME_ID } from './resume-id.js';

/** What happens to sessions, as it happens. */
@ApiTags('Events')
@Controller('v1/events')
export class EventsController {
  constructor(private readonly streams: EventStreams) {}

  @Get()
  @Header('X-Accel-Buffering', 'no')
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The last `id` received: what came since is told first.',
    schema: RESUME_ID,
  })
  @ApiProduces('text/event-stream')
  @Operation({
    summary: 'Follow what happens',
    description:
      'Server-sent events of all processes on the store. `feed.gap` says that events may have been missed, also when what came after `Last-Event-ID` is not held any more: drop what you keep. `service.changed` is told to who may `service.read`. The stream ends when the credential of the reader changes.',
    permissions: ['session.list'],
    answer: { type: String, description: 'Events, each with `id`, `event` and JSON `data`.' },
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
    // A HEAD wants the headers alone; nobody would read the stream.
    const stream =
      method === 'HEAD'
        ? Readable.from([])
        : this.streams.stream(reader.serviceId, filter, lastEventId ?? query.lastEventId);
    return new StreamableFile(stream, { type: 'text/event-stream; charset=utf-8' });
  }
}
