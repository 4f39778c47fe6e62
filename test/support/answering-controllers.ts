import { Readable } from 'node:stream';
import {
  BadRequestException,
  Controller,
  Get,
  Header,
  type MessageEvent,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import {
  AllowAnonymousService,
  DistributedSessionManager,
  OptionalSession,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
  SessionMissingError,
} from 'nestjs-distributed-session';

/** The methods that Express and Fastify replies share, and Node's response, which Fastify has as `raw`. */
interface Reply {
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
  readonly raw?: { setHeader(name: string, value: string): void };
}

export const PUBLIC = 'public, max-age=60';

@Controller()
@UseGuards(SessionGuard)
export class AnswersController {
  @Get('json')
  json() {
    return { a: 1 };
  }

  @Get('empty')
  empty() {}

  @Get('stream')
  stream() {
    return new StreamableFile(Readable.from(['streamed']));
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return of({ data: 'event' });
  }

  @Get('redirect')
  @Redirect('/json')
  redirect() {}

  @Get('error')
  error() {
    throw new BadRequestException();
  }

  @Get('crash')
  crash() {
    throw new TypeError('unexpected');
  }

  @Get('reply')
  reply(@Res() reply: Reply) {
    reply.send('sent');
  }

  @Get('optional')
  @OptionalSession()
  optional() {
    return 'optional';
  }

  @Get('public/decorator')
  @Header('Cache-Control', PUBLIC)
  decorator() {
    return 'public';
  }

  @Get('public/passthrough')
  passthrough(@Res({ passthrough: true }) reply: Reply) {
    reply.header('cache-control', PUBLIC);
    return 'public';
  }

  @Get('public/reply')
  publicReply(@Res() reply: Reply) {
    reply.header('Cache-Control', PUBLIC).send('public');
  }

  @Get('public/raw')
  raw(@Res({ passthrough: true }) reply: Reply & { setHeader(name: string, value: string): void }) {
    (reply.raw ?? reply).setHeader('Cache-Control', PUBLIC);
    return 'public';
  }
}

@Controller('services')
@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
export class ServicesController {
  @Get()
  @RequireServicePermission('service.read')
  list() {
    return [];
  }

  @Get('open')
  @AllowAnonymousService()
  open() {
    return 'open';
  }
}

@Controller('unguarded')
export class UnguardedController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Get()
  show() {
    return 'unguarded';
  }

  @Get('verify')
  verify() {
    return this.sessions.verifyService('unknown', 'an unknown secret');
  }

  @Get('account')
  account() {
    throw new SessionMissingError();
  }
}
