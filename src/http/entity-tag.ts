import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { guardedRequestOf } from 'nestjs-distributed-session';
import { RequestError } from './request.error.js';

/** The version of a session as a strong entity tag (RFC 9110 section 8.8.3): `"7"`. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/** The version in `If-Match`: exactly one, as it was read. `*` would write over whatever is there. */
function versionIn(ifMatch: string | undefined): number {
  if (ifMatch === undefined || ifMatch.trim() === '*') {
    const message = 'must be sent with the ETag of the version that the change is made against, such as "7".';
    throw RequestError.of('ERR_VERSION_REQUIRED', 'If-Match', message);
  }
  const [, digits] = /^"(\d{1,15})"$/.exec(ifMatch.trim()) ?? [];
  if (digits !== undefined) return Number(digits);
  throw RequestError.of('ERR_REQUEST_HEADER', 'If-Match', 'must be one strong ETag as it was received, such as "7".');
}

/** The version that a change is made against, from `If-Match`. */
export const ExpectedVersion: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): number =>
    versionIn(guardedRequestOf(context).headerValues('if-match')[0]),
);
