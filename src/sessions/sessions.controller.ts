import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Post,
  Put,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import {
  type AttributeInput,
  DistributedSessionManager,
  type Session,
  SessionConflictError,
  forSomeAttributes,
  toHttpException,
} from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { ExpectedVersions } from '../http/entity-tag.js';
import { ApiIdempotencyKey, IdempotencyInterceptor } from '../http/idempotency.interceptor.js';
import { Operation } from '../openapi/operation.decorator.js';
import { ApiSessionId } from './session-id.js';
import {
  CreateSessionBody,
  EndSessionQuery,
  EndedResponse,
  IssuedSessionResponse,
  type IssuedSessionView,
  ReadSessionQuery,
  ReplaceSessionBody,
  SessionResponse,
  VerifySessionBody,
  showIssuedSession,
} from './session.dto.js';

const TAG = '(W/)?"\\d{1,15}(-gzip|-br)?"';

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
      'Returns the token and the credential, which are returned only once. Initial attributes also require `session.write` for their keys.',
    permissions: ['session.create'],
    body: { type: CreateSessionBody, example: { loginId: 'user123', device: 'web', attributes: { role: 'customer' } } },
    response: { status: 201, type: IssuedSessionResponse, description: 'The session, with its secrets.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_LIMIT', 'ERR_IDEMPOTENCY_KEY_REUSED', 'ERR_STORAGE_FULL'],
  })
  async createSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { loginId, token, ...options }: CreateSessionBody,
  ): Promise<IssuedSessionView> {
    return showIssuedSession(await sessions.createSession(loginId, token, options));
  }

  @Post('verify')
  @HttpCode(200)
  @Operation({
    summary: 'Verify a session credential',
    description: 'During the grace period after a rotation, the previous credential returns the new session.',
    permissions: [forSomeAttributes('session.read')],
    response: { type: SessionResponse, description: 'The session.' },
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
    response: { type: SessionResponse, description: 'The session.' },
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
    description: 'The `ETag` of the version to replace, or several. A proxy may have weakened it: `W/"7"`, `"7-gzip"`.',
    schema: { type: 'string', pattern: `^${TAG}( *, *${TAG})*$`, example: '"7"' },
  })
  @Operation({
    summary: 'Replace the attributes of a session',
    description:
      'Replaces only the version in `If-Match`; if the session has a newer version, the response is 412. Use `PATCH …/attributes` to merge instead. Requires `session.write` for every attribute that changes.',
    permissions: [forSomeAttributes('session.read'), forSomeAttributes('session.write')],
    response: { type: SessionResponse, description: 'The session after the change.' },
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
    @ExpectedVersions() versions: readonly number[],
    @Body() { attributes }: ReplaceSessionBody,
  ): Promise<Session> {
    return replaceAttributes(sessions, sessionId, versions, attributes);
  }

  @Delete(':sessionId')
  @ApiSessionId()
  @Operation({
    summary: 'End a session',
    description: 'Ending a session that has ended or does not exist is not an error: `ended` is false.',
    permissions: ['session.delete'],
    response: { type: EndedResponse, description: 'Whether this request ended the session.' },
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
    description: 'Records an access immediately, regardless of the touch interval.',
    permissions: [forSomeAttributes('session.read')],
    response: { type: SessionResponse, description: 'The session after the access.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  refreshSession(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
  ): Promise<Session> {
    return sessions.refreshSession(sessionId);
  }
}

/** Replaces exactly one of these versions. A newer version fails the precondition in `If-Match`: 412. */
async function replaceAttributes(
  sessions: DistributedSessionManager,
  sessionId: string,
  versions: readonly number[],
  attributes: AttributeInput,
): Promise<Session> {
  const current = await sessions.getSession(sessionId, { touch: false });
  const version = versions.find((one) => one === current.version) ?? versions[0]!;
  try {
    return await sessions.updateSession({ ...current, version, attributes });
  } catch (error) {
    throw error instanceof SessionConflictError ? toHttpException(error, HttpStatus.PRECONDITION_FAILED) : error;
  }
}
