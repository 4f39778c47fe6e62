import type { GuardedRequest } from './guarded-request.js';

/** Thrown by the functions below when a client sends more than one credential: choosing one would be a guess. */
export class AmbiguousCredentialError extends Error {}

/** Returns the value of a header, or `undefined`. Rejects a header that was sent twice (ASVS 15.3.7). */
export function singleHeader(request: GuardedRequest, name: string): string | undefined {
  const values = request.headerValues(name);
  if (values.length > 1) throw new AmbiguousCredentialError(`${name} was sent more than once.`);
  return values[0];
}

/** Returns the credentials of an authentication scheme (RFC 9110 section 11.4), or `undefined` for another scheme. */
export function authorization(request: GuardedRequest, scheme: 'basic' | 'bearer'): string | undefined {
  const [, given, credentials] = /^([A-Za-z]+) +(.+)$/.exec(singleHeader(request, 'authorization') ?? '') ?? [];
  return given?.toLowerCase() === scheme ? credentials : undefined;
}

/** Returns the user id and password of HTTP Basic (RFC 7617). Both are empty if the credential is malformed. */
export function basicCredentials(request: GuardedRequest): { user: string; password: string } | undefined {
  const encoded = authorization(request, 'basic');
  if (encoded === undefined) return undefined;
  const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return { user, password };
}

/** Returns the value of a cookie, or `undefined`. Rejects a cookie that was sent twice: one of them may be planted. */
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

/** Returns the only credential that was found, or `undefined`. Rejects credentials in more than one place. */
export function onlyOne<T>(found: readonly (T | undefined)[]): T | undefined {
  const credentials = found.filter((credential) => credential !== undefined);
  if (credentials.length > 1) throw new AmbiguousCredentialError('Credentials were sent in more than one place.');
  return credentials[0];
}
