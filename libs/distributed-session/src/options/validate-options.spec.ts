import { describe, expect, it } from '@jest/globals';
import { IsString } from 'class-validator';
import { OptionsError } from '../errors/options.error.js';
import { IfGiven, IsDuration, IsWholeNumber } from './option-rules.js';
import { validateOptions } from './validate-options.js';

class PumpOptions {
  @IsString({ message: 'name must be a string' })
  readonly name!: string;

  @IsDuration()
  readonly strokeMs: number = 500;

  @IsWholeNumber(1, 4)
  readonly pistons: number = 2;

  @IfGiven()
  @IsDuration(0)
  readonly pauseMs?: number;
}

function validate(given: object | undefined, check?: (options: PumpOptions) => readonly string[]): PumpOptions {
  return validateOptions('Pump', PumpOptions, given, check);
}

function errorsOf(...input: Parameters<typeof validate>): readonly string[] {
  try {
    validate(...input);
  } catch (error) {
    if (error instanceof OptionsError) return error.errors;
    throw error;
  }
  return [];
}

function crossCheck({ strokeMs, pauseMs = 0 }: PumpOptions): string[] {
  return pauseMs > strokeMs ? ['pauseMs must not exceed strokeMs'] : [];
}

describe('validateOptions', () => {
  it('returns an instance of the class with the given options and the defaults of the others', () => {
    const options = validate({ name: 'main', strokeMs: 20 });
    expect(options).toBeInstanceOf(PumpOptions);
    expect(options).toEqual(Object.assign(new PumpOptions(), { name: 'main', strokeMs: 20, pistons: 2 }));
  });

  it('keeps the default of an option that is undefined', () => {
    expect(validate({ name: 'main', strokeMs: undefined, pistons: undefined })).toMatchObject({
      strokeMs: 500,
      pistons: 2,
    });
  });

  it('does not change the given object', () => {
    const given = Object.freeze({ name: 'main' });
    validate(given);
    expect(given).toEqual({ name: 'main' });
  });

  it.each([
    ['strokems', 'strokeMs'],
    ['stroke', 'strokeMs'],
    ['piston', 'pistons'],
    ['nmae', 'name'],
  ])('suggests the option that %s most likely means', (name, meant) => {
    expect(errorsOf({ name: 'main', [name]: 1 })).toEqual([`Unknown option "${name}". Did you mean "${meant}"?`]);
  });

  it.each(['colour-of-the-lid', 'x', '__proto'])('lists the known options if %s resembles none of them', (name) => {
    const known = 'Known options: name, pauseMs, pistons, strokeMs.';
    expect(errorsOf({ name: 'main', [name]: 1 })).toEqual([`Unknown option "${name}". ${known}`]);
  });

  it('reports every error at once, under the name of the owner, without the invalid values', () => {
    const given = { name: 7, strokeMs: 'CANARY', pistons: 5, pauseMs: -1, volume: 'CANARY' };
    expect(() => validate(given)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS', message: expect.stringMatching(/^Invalid options for Pump:\n/) }),
    );
    const errors = errorsOf(given);
    expect(errors.toSorted()).toEqual([
      expect.stringContaining('Unknown option "volume"'),
      'name must be a string',
      expect.stringMatching(/^pauseMs must be a whole number of milliseconds from 0 to/),
      'pistons must be a whole number from 1 to 4',
      expect.stringMatching(/^strokeMs must be a whole number of milliseconds from 1 to/),
    ]);
    expect(errors.join()).not.toContain('CANARY');
  });

  it('reports the required options if no options are given', () => {
    expect(errorsOf(undefined)).toEqual(['name must be a string']);
  });

  it('rejects null unless a rule accepts it', () => {
    expect(errorsOf({ name: 'main', pauseMs: null })).toEqual([expect.stringMatching(/^pauseMs must be/)]);
  });

  it('adds the errors of the cross check, which receives the defaults as well', () => {
    expect(errorsOf({ name: 'main', pauseMs: 501 }, crossCheck)).toEqual(['pauseMs must not exceed strokeMs']);
    expect(errorsOf({ pauseMs: 501 }, crossCheck)).toEqual([
      'name must be a string',
      'pauseMs must not exceed strokeMs',
    ]);
    expect(errorsOf({ name: 'main', pauseMs: 500 }, crossCheck)).toEqual([]);
  });
});
