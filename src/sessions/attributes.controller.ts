import { Body, Controller, Delete, Get, Param, Patch, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DistributedSessionManager, type Session, forSomeAttributes } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { RequestError } from '../http/problem.js';
import { Operation } from '../openapi/operation.decorator.js';
import {
  ApiAttributeKey,
  AttributeBody,
  AttributeResponse,
  AttributesResponse,
  PatchAttributesBody,
} from './attribute.dto.js';
import { ApiSessionId } from './session-id.js';
import { ReadSessionQuery, SessionResponse } from './session.dto.js';

/** The attributes of a session. Concurrent writes to different keys do not conflict. */
@ApiTags('Attributes')
@Controller('v1/sessions/:sessionId/attributes')
export class AttributesController {
  @Get()
  @ApiSessionId()
  @Operation({
    summary: 'Read the attributes of a session',
    description: 'Returns the attributes that the calling service may read.',
    permissions: [forSomeAttributes('session.read')],
    response: { type: AttributesResponse, description: 'The attributes.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  async getAttributes(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Query() options: ReadSessionQuery,
  ): Promise<AttributesResponse> {
    const { attributes, version } = await sessions.getSession(sessionId, options);
    return { attributes, version };
  }

  @Patch()
  @ApiSessionId()
  @Operation({
    summary: 'Set and remove attributes in one step',
    description: 'Keeps attributes that others write at the same time. Requires `session.write` for every key.',
    permissions: [forSomeAttributes('session.write')],
    response: { type: SessionResponse, description: 'The session after the change.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_CONFLICT'],
  })
  patchAttributes(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Body() patch: PatchAttributesBody,
  ): Promise<Session> {
    return sessions.setAttributes(sessionId, patch);
  }

  @Get(':key')
  @ApiSessionId()
  @ApiAttributeKey()
  @Operation({
    summary: 'Read one attribute',
    permissions: [forSomeAttributes('session.read')],
    response: { type: AttributeResponse, description: 'The attribute.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_ATTRIBUTE_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  async getAttribute(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Param('key') key: string,
    @Query() options: ReadSessionQuery,
  ): Promise<AttributeResponse> {
    const { attributes, version } = await sessions.getSession(sessionId, options);
    const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    if (value !== undefined) return { key, value, version };
    const message = 'The attribute is not set, or the calling service may not read it.';
    throw new RequestError('ERR_ATTRIBUTE_NOT_FOUND', message, [{ field: 'key', message }]);
  }

  @Put(':key')
  @ApiSessionId()
  @ApiAttributeKey()
  @Operation({
    summary: 'Set one attribute',
    permissions: [forSomeAttributes('session.write')],
    response: { type: SessionResponse, description: 'The session after the change.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_CONFLICT'],
  })
  setAttribute(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Param('key') key: string,
    @Body() { value }: AttributeBody,
  ): Promise<Session> {
    return sessions.setAttribute(sessionId, key, value);
  }

  @Delete(':key')
  @ApiSessionId()
  @ApiAttributeKey()
  @Operation({
    summary: 'Remove one attribute',
    description: 'Removing an attribute that is not set is not an error.',
    permissions: [forSomeAttributes('session.write')],
    response: { type: SessionResponse, description: 'The session after the change.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_CONFLICT'],
  })
  removeAttribute(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Param('key') key: string,
  ): Promise<Session> {
    return sessions.removeAttribute(sessionId, key);
  }
}
