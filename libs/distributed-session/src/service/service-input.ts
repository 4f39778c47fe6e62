import { ServiceInputError } from '../errors/service.errors.js';
import { INPUT_LIMITS } from '../model/input-limits.js';
import { SERVICE_ID_RULE, isServiceId } from '../model/service-id.js';
import { kindMismatch } from '../model/value-kind.js';
import { shownUnknown, unknownName } from '../options/unknown-name.js';
import { SESSION_PERMISSIONS, isUnknownPermission, parsePermission } from './permission.js';
import { looksGenerated } from './service-secret.js';

/** A service to register with `registerService()`. */
export interface ServiceRegistration {
  /** 1 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit. */
  readonly serviceId: string;
  /** A display name, at most 128 characters. */
  readonly serviceName: string;
  /**
   * At most 100 permissions, such as `session.read` or `session.write:cart.*`. In the namespaces `session` and `service`,
   * only the library's own permissions exist.
   */
  readonly permissions: readonly string[];
  /**
   * A caller-chosen secret of 12 to 512 printable ASCII characters, without a space at its beginning or end, only for the
   * application's own manager and not for a view that `as()` returns. No two services may have the same one.
   *
   * @default a generated secret
   */
  readonly secretKey?: string;
}

const {
  maxServiceNameLength: MAX_NAME_LENGTH,
  maxServicePermissions: MAX_PERMISSIONS,
  minServiceSecretLength: MIN_SECRET_LENGTH,
  maxServiceSecretLength: MAX_SECRET_LENGTH,
} = INPUT_LIMITS;
/**
 * What `X-Service-Secret` and HTTP Basic both transport: HTTP trims header values (RFC 9110 section 5.5), rejects control
 * characters, and encodes others as Latin-1 or UTF-8, depending on the client.
 */
const CARRIED_SECRET = /^[!-~](?:[ -~]*[!-~])?$/;
const FIELDS = ['serviceId', 'serviceName', 'permissions', 'secretKey'];

export function assertServiceId(serviceId: unknown): asserts serviceId is string {
  if (isServiceId(serviceId)) return;
  throw new ServiceInputError('serviceId', `${SERVICE_ID_RULE}${kindMismatch(serviceId, 'a string')}.`);
}

/** Rejects fields that are not `known`, so that a misspelt one is not silently ignored. */
export function assertKnownFields(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    const expectation = `must be an object${kindMismatch(value, 'an object')}. Known fields: ${known.join(', ')}.`;
    throw new ServiceInputError(name, expectation);
  }
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    const noun = name === 'options' ? 'option' : 'field';
    throw new ServiceInputError(shownUnknown(unknown, known), unknownName(noun, unknown, known));
  }
}

export function assertVerifyOptions(options: unknown): void {
  assertKnownFields('options', options, ['source']);
  const { source } = options as { source?: unknown };
  if (source === undefined || typeof source === 'string') return;
  const expectation = 'must be a string, such as the address of the client';
  throw new ServiceInputError('source', `${expectation}${kindMismatch(source, 'a string')}.`);
}

export function assertRegistration(registration: unknown): asserts registration is ServiceRegistration {
  assertKnownFields('registration', registration, FIELDS);
  const { serviceId, serviceName, permissions, secretKey } = registration as Record<string, unknown>;
  assertServiceId(serviceId);
  if (typeof serviceName !== 'string' || serviceName.trim() === '' || serviceName.length > MAX_NAME_LENGTH) {
    const kind = kindMismatch(serviceName, 'a string');
    const length = `must be 1 to ${MAX_NAME_LENGTH} characters, at least one of them not blank`;
    const expectation = kind === '' ? length : `must be a string${kind}`;
    throw new ServiceInputError('serviceName', `${expectation}.`, MAX_NAME_LENGTH);
  }
  if (!serviceName.isWellFormed()) {
    throw new ServiceInputError('serviceName', 'must be well-formed Unicode, without lone surrogates.');
  }
  if (!Array.isArray(permissions) || permissions.length > MAX_PERMISSIONS) {
    const expectation = `must be an array of at most ${MAX_PERMISSIONS} permissions`;
    const kind = kindMismatch(permissions, 'an array');
    throw new ServiceInputError('permissions', `${expectation}${kind}.`, MAX_PERMISSIONS);
  }
  permissions.forEach((permission, index) => assertPermission(permission, `permissions[${index}]`));
  if (secretKey !== undefined) assertChosenSecret(secretKey);
}

/** A permission in the library's own namespaces that does not exist is misspelt: it would grant nothing. */
function assertPermission(permission: unknown, field: string): void {
  const { text } = parsePermission(permission, field);
  if (isUnknownPermission(text)) {
    throw new ServiceInputError(field, `is invalid: ${unknownName('permission', text, SESSION_PERMISSIONS)}`);
  }
}

export function assertChosenSecret(secretKey: unknown): asserts secretKey is string {
  const length = typeof secretKey === 'string' ? secretKey.length : 0;
  if (length < MIN_SECRET_LENGTH || length > MAX_SECRET_LENGTH) {
    const range = `${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} characters`;
    const expectation = `must be a string of ${range}${kindMismatch(secretKey, 'a string')}.`;
    const limit = length > MAX_SECRET_LENGTH ? MAX_SECRET_LENGTH : MIN_SECRET_LENGTH;
    throw new ServiceInputError('secretKey', `${expectation} Omit it to generate a secret.`, limit);
  }
  if (!CARRIED_SECRET.test(secretKey as string)) {
    const expectation =
      'must be printable ASCII without a space at its beginning or end: HTTP Basic and headers change other texts.';
    throw new ServiceInputError('secretKey', `${expectation} Omit it to generate a secret.`);
  }
  if (looksGenerated(secretKey as string)) {
    throw new ServiceInputError('secretKey', "must not begin with 'dss_', which is reserved for generated secrets.");
  }
}
