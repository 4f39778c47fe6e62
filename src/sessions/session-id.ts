import { ApiParam } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { SESSION_ID_PATTERN } from 'nestjs-distributed-session';

export const SESSION_ID_LENGTH = 36;

/** The OpenAPI schema of a session id. */
export const SESSION_ID_SCHEMA = { type: 'string', format: 'uuid', pattern: SESSION_ID_PATTERN.source } as const;

/** Validates a session id in a query. The library checks ids in paths; its errors would name another field here. */
export function IsSessionId(): PropertyDecorator {
  const message = `$property must be a session id: a lower-case UUID of ${SESSION_ID_LENGTH} characters`;
  return Matches(SESSION_ID_PATTERN, { message });
}

/** Describes the session id in a path. */
export const ApiSessionId = (): MethodDecorator =>
  ApiParam({
    name: 'sessionId',
    description: 'Identifies the session. It is not a credential.',
    schema: { ...SESSION_ID_SCHEMA, example: '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f' },
  });
