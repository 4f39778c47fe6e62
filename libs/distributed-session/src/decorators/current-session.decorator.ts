import { type ExecutionContext, type PipeTransform, type Type, createParamDecorator } from '@nestjs/common';
import { requestOf } from '../guards/guarded-request.js';
import type { JsonValue } from '../session/attributes.js';
import type { Session } from '../session/session.js';

// Annotated, because the type that would be inferred names what only Nest 12 has.
type Pipe = PipeTransform | Type<PipeTransform>;

/** The session that `SessionGuard` found, or `undefined` where it is optional. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | undefined => requestOf(context).session,
);

/** One attribute of the session that `SessionGuard` found: `@SessionAttribute('role') role?: string`. */
export const SessionAttribute: (key: string, ...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (key: string, context: ExecutionContext): JsonValue | undefined => requestOf(context).session?.attributes[key],
);
