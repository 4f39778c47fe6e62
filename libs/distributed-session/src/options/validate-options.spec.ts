import { describe, expect, it } from '@jest/globals';
import { OptionsError } from '../errors/options.error.js';
import { IfGiven, IsDuration, IsOneOf, IsWholeNumber, optionRule } from './option-rules.js';
import { nestedErrors, validateOptions, withoutNulls } from './validate-options.js';

class PumpOptions {
  @optionRule('isName', (value) => typeof value === 'string' && value !== '', 'must be a name', 'a string')
  readonly name!: string;

  @IsDuration()
  readonly strokeMs: number = 500;

  @IsWholeNumber(1, 4)
  readonly pistons: number = 2;

  @IsOneOf(['oil', 'water', 'air'])
  readonly medium: string = 'oil';

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
    expect(options).toEqual(
      Object.assign(new PumpOptions(), { name: 'main', strokeMs: 20, pistons: 2, medium: 'oil' }),
    );
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

  it.each(['colour', 'x', '__proto'])('lists the known options if %s resembles none of them', (name) => {
    const known = 'Known options: medium, name, pauseMs, pistons, strokeMs.';
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
      'name must be a name, not a number',
      expect.stringMatching(/^pauseMs must be a whole number of milliseconds from 0 to \d+, such as 3600000$/),
      'pistons must be a whole number from 1 to 4',
      expect.stringMatching(
        /^strokeMs must be a whole number of milliseconds from 1 to \d+, such as 3600000, not a string$/,
      ),
    ]);
    expect(errors.join()).not.toContain('CANARY');
  });

  it('reports the required options if no options are given', () => {
    expect(errorsOf(undefined)).toEqual(['name must be a name, not undefined']);
  });

  it('names the kind of a value only if another kind is required', () => {
    expect(errorsOf({ name: 'main', medium: 'CANARY' })).toEqual(["medium must be 'oil', 'water' or 'air'"]);
    expect(errorsOf({ name: 'main', medium: ['CANARY'] })).toEqual([
      "medium must be 'oil', 'water' or 'air', not an array",
    ]);
    expect(errorsOf({ name: '' })).toEqual(['name must be a name']);
  });

  it('rejects null unless a rule accepts it', () => {
    expect(errorsOf({ name: 'main', pauseMs: null })).toEqual([
      expect.stringMatching(/^pauseMs must be .*, not null$/),
    ]);
  });

  it('adds the errors of the cross check, which receives the defaults as well', () => {
    expect(errorsOf({ name: 'main', pauseMs: 501 }, crossCheck)).toEqual(['pauseMs must not exceed strokeMs']);
    expect(errorsOf({ pauseMs: 501 }, crossCheck)).toEqual([
      'name must be a name, not undefined',
      'pauseMs must not exceed strokeMs',
    ]);
    expect(errorsOf({ name: 'main', pauseMs: 500 }, crossCheck)).toEqual([]);
  });
});

describe('nestedErrors()', () => {
  it('returns each error under the path of its option', () => {
    expect(nestedErrors('pump', PumpOptions, { name: 'main', pistons: undefined })).toEqual([]);
    expect(nestedErrors('pump', PumpOptions, { name: 'main', pistons: 5, piston: 1, x: 1 })).toEqual([
      'Unknown option "pump.piston". Did you mean "pump.pistons"?',
      'Unknown option "pump.x". Known options: pump.medium, pump.name, pump.pauseMs, pump.pistons, pump.strokeMs.',
      'pump.pistons must be a whole number from 1 to 4',
    ]);
  });
});

describe('withoutNulls()', () => {
  it('returns the options that are not null, in a new object', () => {
    const given = Object.freeze({ name: null, pistons: 0, pauseMs: undefined });
    expect(withoutNulls(given)).toStrictEqual({ pistons: 0, pauseMs: undefined });
    expect(withoutNulls(undefined)).toEqual({});
  });
});
