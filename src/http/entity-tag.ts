import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { guardedRequestOf } from 'nestjs-distributed-session';
import { RequestError } from './problem.js';

/** Formats a session's version as a strong entity tag (RFC 9110 section 8.8.3): `"7"`. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * The tag of a version as it may come back: weak if a proxy has compressed the response (nginx, CDNs), or with the name of
 * the compression (Apache's `"7-gzip"`). Each still names one version.
 */
const TAG = /^(?:W\/)?"(\d{1,15})(?:[-;]{1,2}(?:gzip|br|deflate|zstd))?"$/;

/** Parses `If-Match`: versions as they were read. `*` would overwrite any version. */
function versionsIn(ifMatch: string | undefined): readonly number[] {
  if (ifMatch === undefined || ifMatch.trim() === '*') {
    const message = 'is required: send the ETag of the version to change, such as "7".';
    throw RequestError.of('ERR_VERSION_REQUIRED', 'If-Match', message);
  }
  // Empty elements of a list are ignored (RFC 9110 section 5.6.1).
  const tags = ifMatch.split(',').flatMap((tag) => tag.trim() || []);
  const versions = tags.flatMap((tag) => TAG.exec(tag)?.[1] ?? []);
  if (versions.length > 0 && versions.length === tags.length) return versions.map(Number);
  throw RequestError.of('ERR_REQUEST_HEADER', 'If-Match', 'must contain ETags as they were received, such as "7".');
}

/** Injects the versions in `If-Match`, which the change requires: it applies to any one of them. */
export const ExpectedVersions: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): readonly number[] =>
    versionsIn(guardedRequestOf(context).headerValues('if-match')[0]),
);
