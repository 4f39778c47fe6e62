import { isIP } from 'node:net';
import type { TransformFnParams } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { INPUT_LIMITS, MAX_DURATION_MS, SERVICE_ID_PATTERN, SERVICE_ID_RULE } from 'nestjs-distributed-session';
import { NO_KEY, keyEntries } from './key-entries.js';

const MAX_KEY_LENGTH = 1_024;
const MAX_KEYS = 10;
const { minServiceSecretLength: MIN_SECRET_LENGTH, maxServiceSecretLength: MAX_SECRET_LENGTH } = INPUT_LIMITS;

function rule(name: string, validate: (value: unknown, environment: object) => boolean, expectation: string) {
  return ValidateBy({
    name,
    validator: {
      validate: (value, { object } = { object: {} } as never) => validate(value, object),
      defaultMessage: () => `$property ${expectation}`,
    },
  });
}

function isWholeNumber(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}

export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => value === undefined || isWholeNumber(value, minimum, maximum);
  return rule('isWholeNumber', validate, `must be a whole number from ${minimum} to ${maximum}`);
}

/** A session timeout: whole milliseconds, or `off`, which {@link offAsNull} converts to `null`. */
export function IsDurationOrOff(): PropertyDecorator {
  return rule(
    'isDurationOrOff',
    isDurationOrOff,
    `must be a whole number of milliseconds from 1 to ${MAX_DURATION_MS}, or off`,
  );
}

function isDurationOrOff(value: unknown): boolean {
  return value === undefined || value === null || isWholeNumber(value, 1, MAX_DURATION_MS);
}

export function offAsNull({ value, obj, key }: TransformFnParams): unknown {
  const given: unknown = (obj as Record<string, unknown>)[key];
  return given === 'off' ? null : typeof given === 'string' ? Number(given) : value;
}

export function IsServiceId(): PropertyDecorator {
  return rule('isServiceId', isServiceId, SERVICE_ID_RULE);
}

function isServiceId(value: unknown): boolean {
  return typeof value === 'string' && SERVICE_ID_PATTERN.test(value);
}

const SEPARATED = 'different ones separated by white space';

/** A secret chosen by the operator, or several. `dss_` marks secrets that the library generates. */
export function IsSecret(maxEntries: number): PropertyDecorator {
  const form = `${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} printable ASCII characters, and must not start with dss_`;
  return rule(
    'isSecret',
    (value) => value === undefined || areEntries(value, maxEntries, isSecret),
    `must be ${form}; or up to ${maxEntries} ${SEPARATED}`,
  );
}

function isSecret(entry: string): boolean {
  if (entry.startsWith('dss_')) return false;
  return entry.length >= MIN_SECRET_LENGTH && entry.length <= MAX_SECRET_LENGTH && /^[\x21-\x7e]+$/.test(entry);
}

/** A key of the library, or several; `none` stands for no key. */
export function IsKey(minLength: number): PropertyDecorator {
  const isKey = (entry: string) => entry === NO_KEY || (entry.length >= minLength && entry.length <= MAX_KEY_LENGTH);
  const form = `${minLength} to ${MAX_KEY_LENGTH} characters long, without white space`;
  return rule(
    'isKey',
    (value) => value === undefined || areEntries(value, MAX_KEYS, isKey),
    `must be ${form}; or up to ${MAX_KEYS} ${SEPARATED}, in which ${NO_KEY} stands for no key`,
  );
}

function areEntries(value: unknown, maxEntries: number, isEntry: (entry: string) => boolean): boolean {
  const entries = typeof value === 'string' ? keyEntries(value) : [];
  const isNumber = entries.length > 0 && entries.length <= maxEntries;
  return isNumber && new Set(entries).size === entries.length && entries.every(isEntry);
}

/** The beginning of each storage's URLs. A Redis URL may list several hosts, which `URL` cannot parse; the driver parses it. */
const URL_FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['redis', /^rediss?(?:-sentinel|-cluster)?:\/\/./],
  ['postgres', /^postgres(?:ql)?:\/\/./],
]);

/** A URL with the scheme of the configured storage; not set for `memory`. */
export function IsStorageUrl(): PropertyDecorator {
  const expectation =
    'must match SESSION_STORAGE: redis://…, redis-sentinel://… or redis-cluster://… (rediss… for TLS) for redis, ' +
    'postgres://… for postgres, and not set for memory';
  return rule('isStorageUrl', isStorageUrl, expectation);
}

function isStorageUrl(value: unknown, { SESSION_STORAGE = '' }: { SESSION_STORAGE?: string }): boolean {
  if (SESSION_STORAGE === 'memory') return value === undefined;
  const form = URL_FORMS.get(SESSION_STORAGE);
  // An unknown storage is a separate error.
  return form === undefined || (typeof value === 'string' && form.test(value));
}

/** A URL of PostgreSQL; not set for any other storage. */
export function IsFeedUrl(): PropertyDecorator {
  return rule(
    'isFeedUrl',
    isFeedUrl,
    'must look like postgres://…, and is supported only with SESSION_STORAGE=postgres',
  );
}

function isFeedUrl(value: unknown, environment: { SESSION_STORAGE?: string }): boolean {
  return value === undefined || (environment.SESSION_STORAGE === 'postgres' && isStorageUrl(value, environment));
}

/** A number of proxies, or comma-separated addresses and networks. */
export function IsTrustedProxies(): PropertyDecorator {
  const expectation = 'must be a number of proxies, such as 1, or comma-separated addresses, such as 10.0.0.0/8';
  return rule('isTrustedProxies', isTrustedProxies, expectation);
}

function isTrustedProxies(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  return /^[1-9]\d?$/.test(value) || value.split(/, */).every(isAddressOrNetwork);
}

function isAddressOrNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]*)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address)]!;
  return longest > 0 && Number(bits ?? longest) <= longest;
}
