import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ATTRIBUTE_LIMITS } from '../model/attributes.js';
import { ServiceAccess } from '../service/service-access.js';
import { assertKnownFields, assertRegistration } from '../service/service-input.js';
import { assertAttributeKey } from './attribute-value.js';
import { checkPatch } from './checked-patch.js';
import { assertSessionId, assertToken, parseCredential } from './session-credential.js';
import { assertLoginId, assertReadOptions, checkCreateOptions, checkEndOptions, checkPage } from './session-input.js';

const access = ServiceAccess.unrestricted('svc');
const registration = { serviceId: 'order', serviceName: 'Orders', permissions: [] };

const NO_TIMEOUTS = { timeouts: {}, timeoutCeilings: {} };

describe('An error about an invalid argument', () => {
  it.each<[string, () => unknown]>([
    ['loginId must be a string, not a number.', () => assertLoginId(7)],
    ['touch must be true or false, not a string.', () => assertReadOptions({ touch: 'yes' })],
    ['options must be an object, not null.', () => assertReadOptions(null as never)],
    ['device must be a string, not an array.', () => checkCreateOptions({ device: ['web'] as never }, NO_TIMEOUTS)],
    ['client must be a plain object, not a string.', () => checkCreateOptions({ client: '::1' as never }, NO_TIMEOUTS)],
    ['client must be a plain object.', () => checkCreateOptions({ client: new Date() as never }, NO_TIMEOUTS)],
    ['limit must be a whole number from 1 to 1000, not a string.', () => checkPage({ limit: '20' as never })],
    ['limit must be a whole number from 1 to 1000.', () => checkPage({ limit: 1_001 })],
    ['actor must be a string, not an object.', () => checkEndOptions({ actor: { id: 'admin' } as never })],
    ['sessionId must be a lower-case UUID of 36 characters, not undefined.', () => assertSessionId(undefined)],
    ['token must be a string, not a number.', () => assertToken(1234)],
    [
      'credential must be "<sessionId>.<token>", as createSession() returned it, not undefined.',
      () => parseCredential(undefined),
    ],
    ['credential must be "<sessionId>.<token>", as createSession() returned it.', () => parseCredential('secret')],
    [
      'attributes must be a plain object of JSON values, not an array.',
      () => checkPatch({ set: [] as never }, DEFAULT_ATTRIBUTE_LIMITS),
    ],
    [
      'attribute key must be a non-empty string, not a number.',
      () => assertAttributeKey(7, 'attribute key', DEFAULT_ATTRIBUTE_LIMITS),
    ],
    ['serviceName must be a string, not a boolean.', () => assertRegistration({ ...registration, serviceName: true })],
    [
      'serviceName must be 1 to 128 characters, at least one of them not blank.',
      () => assertRegistration({ ...registration, serviceName: ' ' }),
    ],
    [
      'permissions[0] must be a string of 1 to 256 characters, not an object.',
      () => assertRegistration({ ...registration, permissions: [{}] }),
    ],
    [
      'secretKey must be a string of 12 to 512 characters, not a number. Omit it to generate a secret.',
      () => assertRegistration({ ...registration, secretKey: 1234 }),
    ],
    [
      'permissions must be an array, such as the permissions of a verified service, not a string.',
      () => access.narrowedTo({ serviceId: 'order', permissions: 'session.read' as never }),
    ],
  ])('states the kind of a value, if another one is required, but not the value: %s', (message, check) => {
    expect(check).toThrow(expect.objectContaining({ message }));
  });

  it.each<[string, string, () => unknown]>([
    [
      'options.devise',
      'Unknown option "devise". Did you mean "device"?',
      () => checkCreateOptions({ devise: 'web' } as never, NO_TIMEOUTS),
    ],
    [
      'client.useragent',
      'Unknown field "client.useragent". Did you mean "client.userAgent"?',
      () => checkCreateOptions({ client: { useragent: 'curl' } as never }, NO_TIMEOUTS),
    ],
    [
      'patch.clear',
      'Unknown field "patch.clear". Known fields: patch.remove, patch.set.',
      () => checkPatch({ clear: ['cart'] } as never, DEFAULT_ATTRIBUTE_LIMITS),
    ],
    [
      'secret',
      'Unknown field "secret". Did you mean "secretKey"?',
      () => assertRegistration({ ...registration, secret: 'a long secret' }),
    ],
    [
      'overlap',
      'Unknown option "overlap". Did you mean "overlapMs"?',
      () => assertKnownFields('options', { overlap: 0 }, ['overlapMs', 'secretKey']),
    ],
  ])('suggests the name that %s most likely means, or lists the known names', (field, message, check) => {
    expect(check).toThrow(expect.objectContaining({ field, message }));
  });
});
