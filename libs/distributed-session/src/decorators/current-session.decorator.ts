import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { requestOf } from '../guards/guarded-request.js';
import type { JsonValue } from '../session/attributes.js';
import type { Session } from '../session/session.js';

/** The session that `SessionGuard` found, or `undefined` where it is optional. */
export const CurrentSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | undefined => requestOf(context).session,
);

/** One attribute of the session that `SessionGuard` found: `@SessionAttribute('role') role?: string`. */
export const SessionAttribute = createParamDecorator(
  (key: string, context: ExecutionContext): JsonValue | undefined => requestOf(context).session?.attributes[key],
);
