import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';

/** Skips the other rules for an absent field. Unlike `@IsOptional()`, it does not treat `null` as absent. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_dto, value) => value !== undefined);
}

const RAW_FIELDS = Symbol('raw JSON fields');

/** Keeps a JSON value exactly as it was sent, including keys such as `constructor` and `__proto__`. */
export function RawJson(): PropertyDecorator {
  return (prototype, field) => Reflect.defineMetadata(RAW_FIELDS, [...rawFieldsOf(prototype), field], prototype);
}

/** Returns the {@link RawJson} fields of the class with this prototype. */
export function rawFieldsOf(prototype: object): readonly (string | symbol)[] {
  return (Reflect.getMetadata(RAW_FIELDS, prototype) as (string | symbol)[] | undefined) ?? [];
}

/** Parses a whole number in a query parameter. Other values are kept for the rules to reject. */
export function NumberInQuery(): PropertyDecorator {
  return Transform(({ value }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : (value as unknown),
  );
}

/** Parses `true` or `false` in a query parameter. Other values are kept for the rules to reject. */
export function BooleanInQuery(): PropertyDecorator {
  return Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)));
}

/** Requires a field that may have any value, including `null`. */
export function IsGiven(): PropertyDecorator {
  const validator = {
    validate: (value: unknown) => value !== undefined,
    defaultMessage: () => '$property is required',
  };
  return ValidateBy({ name: 'isGiven', validator });
}
