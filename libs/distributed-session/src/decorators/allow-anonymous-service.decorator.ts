import { type CustomDecorator, SetMetadata } from '@nestjs/common';

export const ALLOW_ANONYMOUS_SERVICE = Symbol('nestjs-distributed-session allow anonymous service');

/**
 * Lets a route, or all of a controller, be called without a service credential. One that is sent must still be right.
 * On a method it goes over `@RequireServicePermission()` on the class, and the other way round.
 */
export function AllowAnonymousService(): CustomDecorator<symbol> {
  return SetMetadata(ALLOW_ANONYMOUS_SERVICE, true);
}
