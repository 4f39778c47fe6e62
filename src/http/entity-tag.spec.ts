import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, test } from '@jest/globals';
import { ExpectedVersion, entityTag } from './entity-tag.js';
import { RequestError } from './problem.js';

class Controller {
  replace(@ExpectedVersion() version: number): number {
    return version;
  }
}

interface Parameter {
  readonly factory: (data: unknown, context: ExecutionContextHost) => number;
}

/** Returns the version that the decorator injects for these values of `If-Match`. */
function versionFrom(...values: string[]): number {
  const parameters = Reflect.getMetadata('__routeArguments__', Controller, 'replace') as Record<string, Parameter>;
  const request = { rawHeaders: ['Host', 'localhost', ...values.flatMap((value) => ['If-Match', value])], headers: {} };
  return Object.values(parameters)[0]!.factory(undefined, new ExecutionContextHost([request, {}]));
}

function errorOf(...values: string[]): RequestError {
  try {
    versionFrom(...values);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

describe('ExpectedVersion()', () => {
  test('parses the entity tag of a version, which is the version in quotes', () => {
    for (const version of [0, 1, 7, 999_999_999_999_999]) expect(versionFrom(entityTag(version))).toBe(version);
    expect(entityTag(7)).toBe('"7"');
    expect(versionFrom(' "7"\t')).toBe(7);
  });

  test.each([[[]], [['*']], [[' * ']]])('rejects a missing If-Match, and *: %j', (values) => {
    const error = errorOf(...values);
    expect([error.code, error.getStatus(), error.errors[0]?.field]).toEqual(['ERR_VERSION_REQUIRED', 428, 'If-Match']);
  });

  test.each([
    '',
    '7',
    'W/"7"',
    '"7',
    '7"',
    "'7'",
    '"a"',
    '"-1"',
    '"1.5"',
    '"1e3"',
    '" 7"',
    '""',
    '"7", "8"',
    '"7","*"',
    '"1234567890123456"',
    '"٧"',
  ])('rejects a value other than one strong tag: %j', (value) => {
    const error = errorOf(value);
    expect([error.code, error.getStatus(), error.errors[0]?.field]).toEqual(['ERR_REQUEST_HEADER', 400, 'If-Match']);
  });
});
