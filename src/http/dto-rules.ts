import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';

/** Leaves out what is not given. Unlike `@IsOptional()`, it does not let `null` pass for that. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_dto, value) => value !== undefined);
}

const RAW_FIELDS = Symbol('raw JSON fields');

/** Keeps a JSON value just as it was sent: in it, `constructor` and `__proto__` are keys like any other. */
export function RawJson(): PropertyDecorator {
  return (prototype, field) => Reflect.defineMetadata(RAW_FIELDS, [...rawFieldsOf(prototype), field], prototype);
}

/** The fields under {@link RawJson} of a class, given by its prototype. */
export function rawFieldsOf(prototype: object): readonly (string | symbol)[] {
  return (Reflect.getMetadata(RAW_FIELDS, prototype) as (string | symbol)[] | undefined) ?? [];
}

/** The whole number in a query parameter. Anything else stays as it is, for the rules to refuse. */
export function NumberInQuery(): PropertyDecorator {
  return Transform(({ value }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : (value as unknown),
  );
}

/** `true` or `false` in a query parameter. Anything else stays as it is, for the rules to refuse. */
export function BooleanInQuery(): PropertyDecorator {
  return Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)));
}

/** Asks for a field that may hold anything, `null` included. */
export function IsGiven(): PropertyDecorator {
  const validator = { validate: (value: unknown) => value !== undefined, defaultMessage: () => '$property is missing' };
  return ValidateBy({ name: 'isGiven', validator });
}
