import { ApiParam } from '@nestjs/swagger';

/** Describes the session id in a path. */
export const ApiSessionId = (): MethodDecorator =>
  ApiParam({
    name: 'sessionId',
    description: 'Names the session and proves nothing.',
    schema: { type: 'string', format: 'uuid', example: '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f' },
  });
