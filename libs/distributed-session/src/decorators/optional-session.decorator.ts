import { type CustomDecorator, SetMetadata } from '@nestjs/common';

export const OPTIONAL_SESSION = Symbol('nestjs-distributed-session optional session');

/**
 * Lets `SessionGuard` pass a request without a live session; `@CurrentSession()` is then `undefined`. While the
 * storage is down the answer is still 503: nobody is taken for anonymous because it could not be asked.
 */
export function OptionalSession(): CustomDecorator<symbol> {
  return SetMetadata(OPTIONAL_SESSION, true);
}
