import { IsInt, IsObject, IsString, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { describe, expect, test } from '@jest/globals';
import { BooleanInQuery, IfGiven, IsGiven, NumberInQuery, RawJson } from './dto-rules.js';
import { RequestError } from './problem.js';
import { RequestDtoPipe } from './request-dto.pipe.js';

class Inner {
  @IsString()
  readonly text!: string;
}

class Dto {
  @IsString()
  @MaxLength(3)
  readonly name!: string;

  @IfGiven()
  @NumberInQuery()
  @IsInt()
  @Min(1)
  @Max(10)
  readonly limit?: number;

  @IfGiven()
  @BooleanInQuery()
  readonly touch?: boolean;

  @IfGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => Inner)
  readonly inner?: Inner;

  @IfGiven()
  @RawJson()
  @IsObject()
  readonly raw?: object;
}

class Derived extends Dto {
  @IsGiven()
  readonly value!: unknown;
}

const pipe = new RequestDtoPipe();

function make(value: unknown, metatype: new () => object = Dto, type: 'body' | 'query' = 'body'): object {
  return pipe.transform(value, { type, metatype }) as object;
}

function errorOf(value: unknown, metatype: new () => object = Dto): RequestError {
  try {
    make(value, metatype);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

describe('RequestDtoPipe', () => {
  test('converts a valid body into its class', () => {
    const dto = make({ name: 'abc', limit: 7, inner: { text: '' } });
    expect(dto).toBeInstanceOf(Dto);
    expect(dto).toEqual({ name: 'abc', limit: 7, inner: { text: '' } });
  });

  test('parses numbers and booleans in a query, and rejects similar texts', () => {
    expect(make({ name: 'a', limit: '10', touch: 'false' }, Dto, 'query')).toEqual({
      name: 'a',
      limit: 10,
      touch: false,
    });
    for (const limit of ['', ' 1', '1 ', '+1', '0x1', '1e0', '1.0', '-1', '11', ['1', '2'], 'ten']) {
      expect(() => make({ name: 'a', limit }, Dto, 'query')).toThrow(RequestError);
    }
  });

  test('ignores other parameters than bodies and queries, and parameters without a class', () => {
    const value = { anything: 1 };
    expect(pipe.transform(value, { type: 'param', metatype: Dto })).toBe(value);
    expect(pipe.transform(value, { type: 'custom', metatype: Dto })).toBe(value);
    expect(pipe.transform(value, { type: 'body' })).toBe(value);
    expect(pipe.transform(value, { type: 'body', metatype: Object })).toBe(value);
    expect(pipe.transform('7', { type: 'query', metatype: String })).toBe('7');
  });

  test.each([undefined, null])('treats %s as a body without fields', (value) => {
    expect(errorOf(value).errors).toMatchObject([{ field: 'name' }]);
  });

  test.each([[[]], [[{ name: 'a' }]], ['text'], [7], [true]])('rejects a body that is not an object: %j', (value) => {
    expect(errorOf(value)).toMatchObject({ code: 'ERR_REQUEST_INPUT', message: 'body must be a JSON object.' });
  });

  test('reports one error per field, with its path', () => {
    const { errors, message } = errorOf({ name: 7, limit: '11', inner: { text: 1 } });
    expect(errors.map(({ field }) => field)).toEqual(['name', 'limit', 'inner.text']);
    expect(errors[2]!.message).toBe('inner.text must be a string, not a number.');
    expect(message).toBe(errors.map((error) => error.message).join(' '));
  });

  test('does not treat null as absent', () => {
    const { errors } = errorOf({ name: 'a', limit: null, raw: null });
    expect(errors.map(({ field }) => field)).toEqual(['limit', 'raw']);
    expect(errors[1]!.message).toBe('raw must be an object, not null.');
  });

  test('reports a missing field, including one that may be null', () => {
    expect(errorOf({ name: 'a' }, Derived).errors).toEqual([{ field: 'value', message: 'value is required.' }]);
    expect(errorOf({}).errors).toEqual([{ field: 'name', message: 'name is required.' }]);
    expect(make({ name: 'a', value: null }, Derived)).toMatchObject({ value: null });
  });

  test('rejects unknown fields at each level, and suggests a similar known field or lists all', () => {
    expect(errorOf({ name: 'a', limits: 1 }).errors).toEqual([
      { field: 'limits', message: 'Unknown field "limits". Did you mean "limit"?' },
    ]);
    expect(errorOf({ name: 'a', more: 1 }).errors).toEqual([
      { field: 'more', message: 'Unknown field "more". Known fields: inner, limit, name, raw, touch.' },
    ]);
    expect(errorOf({ name: 'a', inner: { text: 'a', more: 1 } }).errors).toEqual([
      { field: 'inner.more', message: 'Unknown field "inner.more".' },
    ]);
  });

  test('names the kind of an invalid value in a body, but not in a query, where all values are text', () => {
    expect(errorOf({ name: ['a'] }).message).toBe('name must be a string, not an array.');
    expect(errorOf({ name: { a: 1 } }).message).toBe('name must be a string, not an object.');
    expect(() => make({ name: ['a'] }, Dto, 'query')).toThrow('name must be a string.');
    expect(() => make({ name: 'a', more: '1' }, Dto, 'query')).toThrow('Unknown query parameter "more".');
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'rejects a field with the name of a prototype property: %s',
    (name) => {
      const body = JSON.parse(`{"name":"a","${name}":{"polluted":true}}`) as object;
      expect(errorOf(body).errors).toMatchObject([{ field: name }]);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  test.each(['__proto__', 'constructor', 'prototype'])(
    'rejects a nested field with the name of a prototype property: %s',
    (name) => {
      const body = JSON.parse(`{"name":"a","inner":{"text":"a","${name}":{"polluted":true}}}`) as object;
      expect(errorOf(body).errors).toMatchObject([{ field: `inner.${name}` }]);
    },
  );

  test('keeps raw JSON unchanged, including such names, also in a derived class', () => {
    const text =
      '{"__proto__":{"a":1},"constructor":2,"nested":{"__proto__":null,"toString":"x"},"list":[{"constructor":1}]}';
    for (const metatype of [Dto, Derived]) {
      const value = metatype === Derived ? ',"value":1' : '';
      const dto = make(JSON.parse(`{"name":"a","raw":${text}${value}}`), metatype);
      expect(JSON.stringify((dto as Dto).raw)).toBe(text);
    }
  });

  test('limits the error for thousands of unknown fields and for long names', () => {
    const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${index}${'x'.repeat(10_000)}`, 1]));
    const { errors, message } = errorOf(body);
    expect(errors).toHaveLength(20);
    expect(errors.every(({ field }) => field === '…')).toBe(true);
    expect(message.length).toBeLessThan(5_000);
  });

  test('does not repeat values', () => {
    const body = { name: ['canary'], limit: 'canary', touch: 'canary', inner: { text: { canary: 1 } }, raw: 'canary' };
    expect(JSON.stringify(errorOf(body).getResponse())).not.toContain('canary');
  });
});
