import { Body, Controller, Delete, Get, Param, Patch, Put, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { DistributedSessionManager, type Session, forSomeAttributes } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/caller-sessions.decorator.js';
import { RequestError } from '../http/request.error.js';
import { Operation } from '../openapi/operation.decorator.js';
import { AttributeBody } from './attribute.body.js';
import { AttributeResponse, AttributesResponse } from './attribute.response.js';
import { PatchAttributesBody } from './patch-attributes.body.js';
import { ReadSessionQuery } from './read-session.query.js';
import { ApiSessionId } from './session-id.parameter.js';
import { SessionResponse } from './session.response.js';

const ApiAttributeKey = (): MethodDecorator =>
  ApiParam({ name: 'key', schema: { type: 'string', minLength: 1, maxLength: 128, example: 'role' } });

/** The attributes of a session. Writers of different keys never disturb each other. */
@ApiTags('Attributes')
@Controller('v1/sessions/:sessionId/attributes')
export class AttributesController {
  @Get()
  @ApiSessionId()
  @Operation({
    summary: 'Read the attributes of a session',
    description: 'Those that the calling service may read.',
    permissions: [forSomeAttributes('session.read')],
    answer: { type: AttributesResponse, description: 'The attributes.' },
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
    description: 'Attributes that others write at the same time are kept. Asks for `session.write` of every key.',
    permissions: [forSomeAttributes('session.write')],
    answer: { type: SessionResponse, description: 'The session after the change.' },
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
    answer: { type: AttributeResponse, description: 'The attribute.' },
    problems: ['ERR_SESSION_INPUT', 'ERR_SESSION_NOT_FOUND', 'ERR_ATTRIBUTE_NOT_FOUND', 'ERR_SESSION_ENDED'],
  })
  async getAttribute(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('sessionId') sessionId: string,
    @Param('key') key: string,
    @Query() options: ReadSessionQuery,
  ): Promise<AttributeResponse> {
    const { attributes, version } = await sessions.getSession(sessionId, options);
    const value = attributes[key];
    if (value !== undefined) return { key, value, version };
    throw RequestError.of('ERR_ATTRIBUTE_NOT_FOUND', 'key', 'names no attribute that is set and that you may read.');
  }

  @Put(':key')
  @ApiSessionId()
  @ApiAttributeKey()
  @Operation({
    summary: 'Set one attribute',
    permissions: [forSomeAttributes('session.write')],
    answer: { type: SessionResponse, description: 'The session after the change.' },
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
    description: 'One that is not set is no error.',
    permissions: [forSomeAttributes('session.write')],
    answer: { type: SessionResponse, description: 'The session after the change.' },
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
