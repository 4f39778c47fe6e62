import type { ServiceCarrier, SessionCarrier } from '../model/credential-carriers.js';

/**
 * Returns the `WWW-Authenticate` header for a service. A 401 requires a challenge (RFC 9110 section 11.6.1). The carrier
 * `headers` is not an authentication scheme, so where neither Basic nor Bearer is configured the challenge has a scheme
 * of our own, which names the credential and invites no client to use a carrier that is not read.
 */
export function serviceChallenge(carriers: readonly ServiceCarrier[]): string {
  if (carriers.includes('basic')) return 'Basic realm="services", charset="UTF-8"';
  return `${carriers.includes('bearer') ? 'Bearer' : 'Service'} realm="services"`;
}

/**
 * Returns the `WWW-Authenticate` header for a session; see {@link serviceChallenge}. It has an error code only if the
 * request has a credential (RFC 6750 section 3.1).
 */
export function sessionChallenge(carriers: readonly SessionCarrier[], error?: 'invalid_token'): string {
  // The token of X-Session-Id is a bearer token, too.
  if (!carriers.includes('bearer') && !carriers.includes('headers')) return 'Cookie realm="session"';
  return `Bearer realm="session"${error === undefined ? '' : `, error="${error}"`}`;
}
