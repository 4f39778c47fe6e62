import { IsInt, IsObject, IsString, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { describe, expect, test } from '@jest/globals';
import { BooleanInQuery, IfGiven, IsGiven, NumberInQuery, RawJson } from './dto-rules.js';
import { RequestDtoPipe } from './request-dto.pipe.js';
import { RequestError } from './request.error.js';

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

function refusalOf(value: unknown, metatype: new () => object = Dto): RequestError {
  try {
    make(value, metatype);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('RequestDtoPipe', () => {
  test('makes the class of a body that keeps its rules', () => {
    const dto = make({ name: 'abc', limit: 7, inner: { text: '' } });
    expect(dto).toBeInstanceOf(Dto);
    expect(dto).toEqual({ name: 'abc', limit: 7, inner: { text: '' } });
  });

  test('reads numbers and truths in a query, and nothing that only looks like them', () => {
    expect(make({ name: 'a', limit: '10', touch: 'false' }, Dto, 'query')).toEqual({
      name: 'a',
      limit: 10,
      touch: false,
    });
    for (const limit of ['', ' 1', '1 ', '+1', '0x1', '1e0', '1.0', '-1', '11', ['1', '2'], 'ten']) {
      expect(() => make({ name: 'a', limit }, Dto, 'query')).toThrow(RequestError);
    }
  });

  test('leaves parameters alone that are none of a body or query, or of no class', () => {
    const value = { anything: 1 };
    expect(pipe.transform(value, { type: 'param', metatype: Dto })).toBe(value);
    expect(pipe.transform(value, { type: 'custom', metatype: Dto })).toBe(value);
    expect(pipe.transform(value, { type: 'body' })).toBe(value);
    expect(pipe.transform(value, { type: 'body', metatype: Object })).toBe(value);
    expect(pipe.transform('7', { type: 'query', metatype: String })).toBe('7');
  });

  test.each([undefined, null])('takes %s for a body without fields', (value) => {
    expect(refusalOf(value).faults).toMatchObject([{ field: 'name' }]);
  });

  test.each([[[]], [[{ name: 'a' }]], ['text'], [7], [true]])('takes no body that is no object: %j', (value) => {
    expect(refusalOf(value)).toMatchObject({ code: 'ERR_REQUEST_INPUT', message: 'body must be a JSON object.' });
  });

  test('tells one fault a field, with its path', () => {
    const { faults, message } = refusalOf({ name: 7, limit: '11', inner: { text: 1 } });
    expect(faults.map(({ field }) => field)).toEqual(['name', 'limit', 'inner.text']);
    expect(faults[2]!.message).toBe('inner.text must be a string.');
    expect(message).toBe(faults.map((fault) => fault.message).join(' '));
  });

  test('does not take null for what is not given', () => {
    const { faults } = refusalOf({ name: 'a', limit: null, raw: null });
    expect(faults.map(({ field }) => field)).toEqual(['limit', 'raw']);
  });

  test('tells of a field that is missing, but may be null', () => {
    expect(refusalOf({ name: 'a' }, Derived).faults).toEqual([{ field: 'value', message: 'value is missing.' }]);
    expect(make({ name: 'a', value: null }, Derived)).toMatchObject({ value: null });
  });

  test('refuses what the class does not have, at each level, and says what it has', () => {
    expect(refusalOf({ name: 'a', more: 1 }).faults).toEqual([
      { field: 'more', message: 'more is unknown; known are name, limit, touch, inner, raw.' },
    ]);
    expect(refusalOf({ name: 'a', inner: { text: 'a', more: 1 } }).faults).toEqual([
      { field: 'inner.more', message: 'inner.more is unknown.' },
    ]);
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'refuses a field that is named like something of a prototype: %s',
    (name) => {
      const body = JSON.parse(`{"name":"a","${name}":{"polluted":true}}`) as object;
      expect(refusalOf(body).faults).toMatchObject([{ field: name }]);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  test.each(['__proto__', 'constructor', 'prototype'])('refuses such a field below another, too: %s', (name) => {
    const body = JSON.parse(`{"name":"a","inner":{"text":"a","${name}":{"polluted":true}}}`) as object;
    expect(refusalOf(body).faults).toMatchObject([{ field: `inner.${name}` }]);
  });

  test('keeps raw JSON as it was sent, with such names in it, and of a derived class as well', () => {
    const text =
      '{"__proto__":{"a":1},"constructor":2,"nested":{"__proto__":null,"toString":"x"},"list":[{"constructor":1}]}';
    for (const metatype of [Dto, Derived]) {
      const value = metatype === Derived ? ',"value":1' : '';
      const dto = make(JSON.parse(`{"name":"a","raw":${text}${value}}`), metatype);
      expect(JSON.stringify((dto as Dto).raw)).toBe(text);
    }
  });

  test('answers thousands of unknown fields, and long names, in few words', () => {
    const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${index}${'x'.repeat(10_000)}`, 1]));
    const { faults, message } = refusalOf(body);
    expect(faults).toHaveLength(20);
    expect(faults.every(({ field }) => field.length === 64)).toBe(true);
    expect(message.length).toBeLessThan(5_000);
  });

  test('repeats no value', () => {
    const body = { name: ['canary'], limit: 'canary', touch: 'canary', inner: { text: { canary: 1 } }, raw: 'canary' };
    expect(JSON.stringify(refusalOf(body).getResponse())).not.toContain('canary');
  });
});
