import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, UseInterceptors } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { DistributedSessionManager, type Session, forSomeAttributes } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/caller-sessions.decorator.js';
import { ExpectedVersion } from '../http/entity-tag.js';
import { ApiIdempotencyKey, IdempotencyInterceptor } from '../http/idempotency.interceptor.js';
import { Operation } from '../openapi/operation.decorator.js';
import { CreateSessionBody } from './create-session.body.js';
import { EndSessionQuery } from './end-session.query.js';
import { EndedResponse } from './ended.response.js';
import { type IssuedSessionView, showIssued } from './issued-session.js';
import { ReadSessionQuery } from './read-session.query.js';
import { ReplaceSessionBody } from './replace-session.body.js';
import { replaceAttributes } from './replace-attributes.js';
import { ApiSessionId } from './session-id.parameter.js';
import { IssuedSessionResponse, SessionResponse } from './session.response.js';
import { VerifySessionBody } from './verify-session.body.js';

/** Sessions, one at a time. */
@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  @Post()
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @Operation({
    summary: 'Log a user in',
    description:
      'The answer holds the token and the credential: the only time that they leave the service. To start with attributes asks for `session.write` of them as well.',
    permissions: ['session.create'],
    body: { type: CreateSessionBody, example: { loginId: 'user123', device: 'web', attributes: { role: 'customer' } } },
    answer: { status: 201, type: IssuedSessionResponse, description: 'The session, with its secrets.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_LIMIT', 'ERR_IDEMPOTENCY_KEY_REUSED', 'ERR_STORAGE_FULL'],
  })
  async createSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { loginId, token, ...options }: CreateSessionBody,
  ): Promise<IssuedSessionView> {
    return showIssued(await sessions.createSession(loginId, token, options));
  }

  @Post('verify')
  @HttpCode(200)
  @Operation({
    summary: 'Find the session that a credential proves',
    description: 'A credential that was rotated away gives the new session while its grace lasts.',
    permissions: [forSomeAttributes('session.read')],
    answer: { type: SessionResponse, description: 'The session.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  verifySession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { credential, ...options }: VerifySessionBody,
  ): Promise<Session> {
    return sessions.verifySession(credential, options);
  }

  @Get(':sessionId')
  @ApiSessionId()
  @Operation({
    summary: 'Read a session',
    permissions: [forSomeAttributes('session.read')],
    answer: { type: SessionResponse, description: 'The session.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  getSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Query() options: ReadSessionQuery,
  ): Promise<Session> {
    return sessions.getSession(sessionId, options);
  }

  @Put(':sessionId')
  @ApiSessionId()
  @ApiHeader({
    name: 'If-Match',
    required: true,
    description: 'The `ETag` of the version that was read.',
    schema: { type: 'string', pattern: '^"\\d{1,15}"$', example: '"7"' },
  })
  @Operation({
    summary: 'Replace the attributes of a session',
    description:
      'Only over the version in `If-Match`; a newer one is a 412. `PATCH …/attributes` merges instead. Asks for `session.write` of every attribute that differs.',
    permissions: [forSomeAttributes('session.read'), forSomeAttributes('session.write')],
    answer: { type: SessionResponse, description: 'The session after the change.' },
    problems: [
      'ERR_SESSION_INPUT',
      'ERR_SESSION_NOT_FOUND',
      'ERR_SESSION_ENDED',
      ['ERR_SESSION_CONFLICT', 412],
      'ERR_VERSION_REQUIRED',
    ],
  })
  replaceSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @ExpectedVersion() version: number,
    @Body() { attributes }: ReplaceSessionBody,
  ): Promise<Session> {
    return replaceAttributes(sessions, sessionId, version, attributes);
  }

  @Delete(':sessionId')
  @ApiSessionId()
  @Operation({
    summary: 'End a session',
    description: 'A session that has ended, or never was, is no error: `ended` is then false.',
    permissions: ['session.delete'],
    answer: { type: EndedResponse, description: 'Whether it was live until now.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async deleteSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Query() options: EndSessionQuery,
  ): Promise<EndedResponse> {
    return { ended: await sessions.deleteSession(sessionId, options) };
  }

  @Post(':sessionId/refresh')
  @HttpCode(200)
  @ApiSessionId()
  @Operation({
    summary: 'Keep a session alive',
    description: 'Records an access at once, without waiting for the touch interval.',
    permissions: [forSomeAttributes('session.read')],
    answer: { type: SessionResponse, description: 'The session after the access.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  refreshSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
  ): Promise<Session> {
    return sessions.refreshSession(sessionId);
  }

  @Post(':sessionId/rotate')
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @ApiSessionId()
  @Operation({
    summary: 'Give a session a new id and token',
    description: 'After a login and after a change of privilege. The old credential is followed while its grace lasts.',
    permissions: ['session.create'],
    answer: {
      status: 201,
      type: IssuedSessionResponse,
      description: 'The session under its new id, with its secrets.',
    },
    problems: [
      'ERR_SESSION_INPUT',
      'ERR_SESSION_NOT_FOUND',
      'ERR_SESSION_ENDED',
      'ERR_SESSION_CONFLICT',
      'ERR_IDEMPOTENCY_KEY_REUSED',
      'ERR_STORAGE_FULL',
    ],
  })
  async rotateSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
  ): Promise<IssuedSessionView> {
    return showIssued(await sessions.rotateSession(sessionId));
  }
}
