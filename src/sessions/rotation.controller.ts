import { Body, Controller, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { ApiIdempotencyKey, IdempotencyInterceptor } from '../http/idempotency.interceptor.js';
import { Operation } from '../openapi/operation.decorator.js';
import { RotateSessionBody, RotateSessionByIdBody } from './rotation.dto.js';
import { ApiSessionId } from './session-id.js';
import { SessionIdPipe } from './session-id.pipe.js';
import { IssuedSessionResponse, type IssuedSessionView, showIssuedSession } from './session.dto.js';

const RESPONSE = {
  status: 201,
  type: IssuedSessionResponse,
  description: 'The session under its new id, with its secrets.',
} as const;

const PROBLEMS = [
  'ERR_SESSION_INPUT',
  'ERR_SESSION_NOT_FOUND',
  'ERR_SESSION_ENDED',
  'ERR_SESSION_CONFLICT',
  'ERR_IDEMPOTENCY_KEY_REUSED',
  'ERR_STORAGE_FULL',
] as const;

/** New ids and tokens for sessions. Each way of naming the session has its own permission. */
@ApiTags('Sessions')
@Controller('v1/sessions')
export class RotationController {
  @Post('rotate')
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @Operation({
    summary: "Rotate a session's id and token",
    description:
      'Use it after a login and after a change of privileges, with `"graceMs": 0`. Requires the current credential: a previous one has ended, even during its grace period.',
    permissions: ['session.create'],
    response: RESPONSE,
    problems: PROBLEMS,
  })
  async rotateSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { credential, ...options }: RotateSessionBody,
  ): Promise<IssuedSessionView> {
    return showIssuedSession(await sessions.rotateSession(credential, options));
  }

  @Post(':sessionId/rotate')
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @ApiSessionId()
  @Operation({
    summary: 'Rotate a session by its id',
    description: 'The response contains a credential of the user. The history and the events record the actor.',
    permissions: ['session.impersonate'],
    response: RESPONSE,
    problems: PROBLEMS,
  })
  async rotateSessionById(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId', SessionIdPipe) sessionId: string,
    @Body() options: RotateSessionByIdBody,
  ): Promise<IssuedSessionView> {
    return showIssuedSession(await sessions.rotateSession(sessionId, options));
  }
}
