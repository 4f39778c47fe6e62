import { ApiParam } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { SESSION_ID_PATTERN } from 'nestjs-distributed-session';

/** How the OpenAPI document describes a session id. */
export const SESSION_ID_SCHEMA = { type: 'string', format: 'uuid', pattern: SESSION_ID_PATTERN.source } as const;

/** Asks for the form of a session id in a query, where the library would name its own option in the refusal, or nobody looks. */
export function IsSessionId(): PropertyDecorator {
  return Matches(SESSION_ID_PATTERN, { message: '$property must be a session id: a lower-case UUID of 36 characters' });
}

/** Describes the session id in a path. */
export const ApiSessionId = (): MethodDecorator =>
  ApiParam({
    name: 'sessionId',
    description: 'Names the session and proves nothing.',
    schema: { ...SESSION_ID_SCHEMA, example: '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f' },
  });
