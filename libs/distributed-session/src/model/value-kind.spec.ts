import { describe, expect, it } from '@jest/globals';
import { kindMismatch } from './value-kind.js';

describe('kindMismatch', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    [['text'], 'an array'],
    [{ text: 'text' }, 'an object'],
    [new Date(), 'an object'],
    [7, 'a number'],
    [7n, 'a bigint'],
    [true, 'a boolean'],
    [Symbol('text'), 'a symbol'],
    [() => 'text', 'a function'],
  ])('names the kind of %p, not its value', (value, kind) => {
    expect(kindMismatch(value, 'a string')).toBe(`, not ${kind}`);
  });

  it('is empty for a value of one of the expected kinds', () => {
    expect(kindMismatch('', 'a string')).toBe('');
    expect(kindMismatch(Number.NaN, 'a number')).toBe('');
    expect(kindMismatch({}, 'a string', 'an object')).toBe('');
    expect(kindMismatch([], 'a string', 'an object')).toBe(', not an array');
  });
});
