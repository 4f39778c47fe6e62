import { isIP } from 'node:net';
import type { TransformFnParams } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { MAX_DURATION_MS } from 'nestjs-distributed-session';

const MIN_SECRET_LENGTH = 12;
const MAX_SECRET_LENGTH = 512;

function rule(name: string, validate: (value: unknown, environment: object) => boolean, says: string) {
  return ValidateBy({
    name,
    validator: {
      validate: (value, { object } = { object: {} } as never) => validate(value, object),
      defaultMessage: () => `$property ${says}`,
    },
  });
}

function isWholeNumber(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}

export function IsWholeNumber(minimum: number, maximum: number): PropertyDecorator {
  const validate = (value: unknown) => value === undefined || isWholeNumber(value, minimum, maximum);
  return rule('isWholeNumber', validate, `must be a whole number, ${minimum} to ${maximum}`);
}

/** A timeout of sessions: whole milliseconds, or `off`, which {@link offAsNull} has made `null`. */
export function IsDurationOrOff(): PropertyDecorator {
  return rule(
    'isDurationOrOff',
    isDurationOrOff,
    `must be a whole number of milliseconds, 1 to ${MAX_DURATION_MS}, or off`,
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
  return rule('isServiceId', isServiceId, 'must be 1 to 128 letters, digits, dots, hyphens or underscores');
}

function isServiceId(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(value);
}

/** A secret that an operator chose. `dss_` marks those that the library generates. */
export function IsSecret(): PropertyDecorator {
  const form = `${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} printable ASCII characters without spaces`;
  return rule('isSecret', isSecret, `must be ${form}, not beginning with dss_`);
}

function isSecret(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'string' || value.startsWith('dss_')) return false;
  return value.length >= MIN_SECRET_LENGTH && value.length <= MAX_SECRET_LENGTH && /^[\x21-\x7e]+$/.test(value);
}

/** How a URL of each storage begins. Redis takes several hosts, which is no URL by the standard; the storage reads it. */
const URL_FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['redis', /^rediss?(?:-sentinel|-cluster)?:\/\/./],
  ['postgres', /^postgres(?:ql)?:\/\/./],
]);

/** Fits the storage that is chosen: a URL of its scheme, or none for `memory`. */
export function IsStorageUrl(): PropertyDecorator {
  const says =
    'must be a URL that fits SESSION_STORAGE: redis://…, redis-sentinel://… or redis-cluster://… (rediss… for TLS), ' +
    'postgres://…, and not set for memory';
  return rule('isStorageUrl', isStorageUrl, says);
}

function isStorageUrl(value: unknown, { SESSION_STORAGE = '' }: { SESSION_STORAGE?: string }): boolean {
  if (SESSION_STORAGE === 'memory') return value === undefined;
  const form = URL_FORMS.get(SESSION_STORAGE);
  // An unknown storage is a fault of its own.
  return form === undefined || (typeof value === 'string' && form.test(value));
}

/** A number of proxies, or addresses and networks with commas between. */
export function IsTrustedProxies(): PropertyDecorator {
  const says = 'must be the number of proxies, such as 1, or addresses such as 10.0.0.0/8';
  return rule('isTrustedProxies', isTrustedProxies, says);
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
