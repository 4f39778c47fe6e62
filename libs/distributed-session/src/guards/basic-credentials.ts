import { isUtf8 } from 'node:buffer';
import type { GuardedRequest } from './guarded-request.js';
import { authorization } from './request-credentials.js';

/** The user id and password of HTTP Basic. */
export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

const MALFORMED: BasicCredentials = Object.freeze({ user: '', password: '' });
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Returns the credentials of HTTP Basic (RFC 7617), or `undefined`. Both are empty if they are malformed. */
export function basicCredentials(request: GuardedRequest): BasicCredentials | undefined {
  const encoded = authorization(request, 'basic');
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  // Decoding skips what is not Base64 and replaces what is not UTF-8: different credentials would become equal.
  if (bytes.toString('base64') !== encoded || !isUtf8(bytes)) return MALFORMED;
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || CONTROL_CHARACTER.test(text)) return MALFORMED;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
