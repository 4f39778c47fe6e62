/** Letters, digits, dots, hyphens and underscores: a service id travels as the user name of HTTP Basic (RFC 7617). */
export const SERVICE_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const SERVICE_ID_RULE =
  'must be 1 to 128 letters, digits, dots, hyphens or underscores, beginning with a letter or digit.';

export function isServiceId(value: unknown): value is string {
  return typeof value === 'string' && SERVICE_ID_PATTERN.test(value);
}
