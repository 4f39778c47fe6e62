import type { GuardedRequest } from './guarded-request.js';

/** Thrown by the readers below when a client sends something twice: which one is meant is not for us to guess. */
export class AmbiguousCredentialError extends Error {}

/** The value of a header, or `undefined`. A header that is sent twice is refused (ASVS 15.3.7). */
export function singleHeader(request: GuardedRequest, name: string): string | undefined {
  const values = request.headerValues(name);
  if (values.length > 1) throw new AmbiguousCredentialError(`${name} was sent more than once.`);
  return values[0];
}

/** The credentials after an authentication scheme in `Authorization`, or `undefined` for another scheme (RFC 9110 11.4). */
export function authorization(request: GuardedRequest, scheme: 'basic' | 'bearer'): string | undefined {
  const [, given, credentials] = /^([A-Za-z]+) +(.+)$/.exec(singleHeader(request, 'authorization') ?? '') ?? [];
  return given?.toLowerCase() === scheme ? credentials : undefined;
}

/** The user id and password of HTTP Basic (RFC 7617). What is no valid Basic credential has both empty. */
export function basicCredentials(request: GuardedRequest): { user: string; password: string } | undefined {
  const encoded = authorization(request, 'basic');
  if (encoded === undefined) return undefined;
  const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return { user, password };
}

/** The value of a cookie, or `undefined`. A cookie that is sent twice is refused: one of the two may be planted. */
export function singleCookie(request: GuardedRequest, name: string): string | undefined {
  const values = request
    .headerValues('cookie')
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  if (values.length > 1) throw new AmbiguousCredentialError(`The cookie ${name} was sent more than once.`);
  return values[0]?.replace(/^"(.*)"$/, '$1');
}

/** The one credential of several places to look; two at once are refused. */
export function onlyOne<T>(found: readonly (T | undefined)[]): T | undefined {
  const credentials = found.filter((credential) => credential !== undefined);
  if (credentials.length > 1) throw new AmbiguousCredentialError('Credentials were sent in more than one place.');
  return credentials[0];
}
