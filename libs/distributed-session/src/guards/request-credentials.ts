import type { GuardedRequest } from './guarded-request.js';

/** Thrown by the readers of credentials if it is not certain which credential is meant: choosing one would be a guess. */
export class AmbiguousCredentialError extends Error {}

/** Returns the value of a header, or `undefined`. Rejects a header that was sent twice (ASVS 15.3.7). */
export function singleHeader(request: GuardedRequest, name: string): string | undefined {
  const values = request.headerValues(name);
  if (values.length > 1) throw new AmbiguousCredentialError(`${name} was sent more than once.`);
  return values[0];
}

/**
 * Returns the credentials of an authentication scheme (RFC 9110 section 11.4), or `undefined` for another scheme. They
 * are empty if only the scheme was sent.
 */
export function authorization(request: GuardedRequest, scheme: 'basic' | 'bearer'): string | undefined {
  const [, given = '', credentials = ''] = /^([^ \t]*)(.*)$/s.exec(singleHeader(request, 'authorization') ?? '') ?? [];
  return given.toLowerCase() === scheme ? credentials.replace(/^ +/, '') : undefined;
}

/**
 * Returns the only credential that was found, or `undefined`. Of several, those without the form of our credentials do
 * not count: they have another purpose, such as a gateway's bearer token. Rejects several of our form.
 */
export function onlyOne<T>(found: readonly (T | undefined)[], hasForm: (credential: T) => boolean): T | undefined {
  const credentials = found.filter((credential) => credential !== undefined);
  if (credentials.length < 2) return credentials[0];
  const ours = credentials.filter(hasForm);
  if (ours.length > 1) throw new AmbiguousCredentialError('Credentials were sent in more than one place.');
  return ours[0] ?? credentials[0];
}
