import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, test } from '@jest/globals';
import { ExpectedVersions, entityTag } from './entity-tag.js';
import { RequestError } from './problem.js';

class Controller {
  replace(@ExpectedVersions() versions: readonly number[]): readonly number[] {
    return versions;
  }
}

interface Parameter {
  readonly factory: (data: unknown, context: ExecutionContextHost) => readonly number[];
}

/** Returns the versions that the decorator injects for these values of `If-Match`. */
function versionsFrom(...values: string[]): readonly number[] {
  const parameters = Reflect.getMetadata('__routeArguments__', Controller, 'replace') as Record<string, Parameter>;
  const request = { rawHeaders: ['Host', 'localhost', ...values.flatMap((value) => ['If-Match', value])], headers: {} };
  return Object.values(parameters)[0]!.factory(undefined, new ExecutionContextHost([request, {}]));
}

function errorOf(...values: string[]): RequestError {
  try {
    versionsFrom(...values);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

describe('ExpectedVersions()', () => {
  test('parses the entity tag of a version, which is the version in quotes', () => {
    for (const version of [0, 1, 7, 999_999_999_999_999]) expect(versionsFrom(entityTag(version))).toEqual([version]);
    expect(entityTag(7)).toBe('"7"');
    expect(versionsFrom(' "7"\t')).toEqual([7]);
  });

  test.each([
    ['W/"7"', [7]],
    ['"7-gzip"', [7]],
    ['"7;gzip"', [7]],
    ['"7--gzip"', [7]],
    ['W/"7-br"', [7]],
    ['"7", "8"', [7, 8]],
    ['W/"7",W/"8" ,\t"9-gzip"', [7, 8, 9]],
    [', "7",, ', [7]],
  ])('parses what proxies make of tags, and lists: %s', (value, versions) => {
    expect(versionsFrom(value)).toEqual(versions);
  });

  test.each([[[]], [['*']], [[' * ']]])('rejects a missing If-Match, and *: %j', (values) => {
    const error = errorOf(...values);
    expect([error.code, error.getStatus(), error.errors[0]?.field]).toEqual(['ERR_VERSION_REQUIRED', 428, 'If-Match']);
  });

  test.each([
    '',
    '7',
    '"7',
    '7"',
    "'7'",
    '"a"',
    '"-1"',
    '"1.5"',
    '"1e3"',
    '" 7"',
    '""',
    'w/"7"',
    'W/7',
    '"7-gzip-other"',
    '"gzip"',
    '"7", 8',
    ',',
    '"7","*"',
    '"1234567890123456"',
    '"٧"',
  ])('rejects a value other than tags of versions: %j', (value) => {
    const error = errorOf(value);
    expect([error.code, error.getStatus(), error.errors[0]?.field]).toEqual(['ERR_REQUEST_HEADER', 400, 'If-Match']);
  });
});
