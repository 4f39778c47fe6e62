import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { guardedRequestOf } from 'nestjs-distributed-session';
import { RequestError } from './problem.js';

/** Formats a session's version as a strong entity tag (RFC 9110 section 8.8.3): `"7"`. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/** Parses `If-Match`: exactly one version as it was read. `*` would overwrite any version. */
function versionIn(ifMatch: string | undefined): number {
  if (ifMatch === undefined || ifMatch.trim() === '*') {
    const message = 'is required: send the ETag of the version to change, such as "7".';
    throw RequestError.of('ERR_VERSION_REQUIRED', 'If-Match', message);
  }
  const [, digits] = /^"(\d{1,15})"$/.exec(ifMatch.trim()) ?? [];
  if (digits !== undefined) return Number(digits);
  throw RequestError.of('ERR_REQUEST_HEADER', 'If-Match', 'must be one strong ETag as it was received, such as "7".');
}

/** Injects the version in `If-Match`, which the change requires. */
export const ExpectedVersion: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): number =>
    versionIn(guardedRequestOf(context).headerValues('if-match')[0]),
);
