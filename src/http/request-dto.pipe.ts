import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, getMetadataStorage, validateSync } from 'class-validator';
import { shownUnknown, unknownName } from 'nestjs-distributed-session';
import { rawFieldsOf } from './dto-rules.js';
import { type FieldError, RequestError } from './problem.js';

/** Limits the response to a body with thousands of unknown fields. */
const MAX_ERRORS = 20;
const MAX_NAME_LENGTH = 64;
const BUILT_IN: readonly unknown[] = [String, Number, Boolean, Object, Array];

/** class-transformer reads the constructor of each object, so it cannot process these names. */
const PROTOTYPE_NAMES = ['__proto__', 'constructor'];

/** The rules that reject a whole kind of values. Others, such as `@IsInt()`, also reject some numbers. */
const KIND_RULES = ['isArray', 'isBoolean', 'isObject', 'isString'];

/**
 * Converts a body or a query into the parameter's class and validates it: types, bounds and unknown fields. Unlike
 * Nest's pipe, it keeps raw JSON unchanged; Nest's pipe removes `__proto__`.
 */
@Injectable()
export class RequestDtoPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || metatype === undefined || BUILT_IN.includes(metatype)) return value;
    const given: unknown = value ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) {
      throw RequestError.of('ERR_REQUEST_INPUT', type, 'must be a JSON object.');
    }
    const raw = rawFieldsOf(metatype.prototype as object);
    const plain = Object.entries(given as object).filter(([name]) => !raw.includes(name));
    const known = fieldsOf(metatype);
    const unknown = plain.flatMap(([name, field]) => (known.includes(name) ? prototypeNamesIn(field, name) : [name]));
    const shown = unknown.slice(0, MAX_ERRORS);
    if (shown.length > 0) throw invalid(shown.map((name) => unknownField(name, known, type)));
    const dto = plainToInstance(metatype as Type<object>, Object.fromEntries(plain));
    for (const [name, field] of Object.entries(given as object)) {
      if (raw.includes(name)) Object.assign(dto, { [name]: field as unknown });
    }
    const errors = errorsOf(validateSync(dto, { whitelist: true, forbidNonWhitelisted: true }), type);
    if (errors.length > 0) throw invalid(errors);
    return dto;
  }
}

function invalid(errors: readonly FieldError[]): RequestError {
  const shown = errors.slice(0, MAX_ERRORS);
  return new RequestError('ERR_REQUEST_INPUT', shown.map(({ message }) => message).join(' '), shown);
}

/** Returns the fields that a class has rules for. */
function fieldsOf(metatype: Function): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

function unknownField(name: string, known: readonly string[], type: string): FieldError {
  const noun = type === 'query' ? 'query parameter' : 'field';
  return { field: shownUnknown(name, known), message: unknownName(noun, name.slice(0, MAX_NAME_LENGTH), known) };
}

/** Returns the paths of prototype names below a field. */
function prototypeNamesIn(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) =>
    PROTOTYPE_NAMES.includes(name) ? [`${path}.${name}`] : prototypeNamesIn(below, `${path}.${name}`),
  );
}

/** Returns one error per field. Of several violated rules, the first one in the class is the most specific. */
function errorsOf(violations: readonly ValidationError[], type: string, parent = ''): FieldError[] {
  return violations.flatMap(({ property, value, constraints = {}, children = [] }) => {
    const prefix = parent === '' ? '' : `${parent}.`;
    const field = `${prefix}${property}`;
    const [rule, text] = Object.entries(constraints).at(-1) ?? [];
    if (rule === undefined || text === undefined) return errorsOf(children, type, field);
    if (rule === 'whitelistValidation') {
      const shown = `${prefix}${shownUnknown(property, [])}`;
      return [{ field: shown, message: `Unknown field "${shown}".` }];
    }
    if (value === undefined) return [{ field, message: `${field} is required.` }];
    // A query parameter is always text.
    const namesKind = type === 'body' && KIND_RULES.includes(rule) && !text.startsWith('each value');
    return [{ field, message: `${prefix}${text}${namesKind ? `, not ${kindOf(value)}` : ''}.` }];
  });
}

/** Names the kind of a JSON value, and never the value, which may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
